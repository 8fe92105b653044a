/** A server that is killed again and again while people talk with it, and what is left of it. */

import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { createServer } from 'node:net';
import { uniformAt } from '../../../src/engine/uniform.ts';
import { Pulse } from '../../../src/std/pulse.ts';
import { guestsAt } from '../wire-client.ts';
import { findViolations, type StoredHistory, type Violation } from './history.ts';
import { Person, type World } from './person.ts';
import { readStoredHistory } from './read-store.ts';
import { Sender } from './sender.ts';
import { type Death, Victim } from './victim.ts';

export interface KillOptions {
  readonly kills: number;
  readonly people: number;
  /** Who send without waiting for replies, each message four times at once. */
  readonly senders?: number;
  readonly seed: number;
  readonly dataDirectory: string;
  /** Settings of the server beside its port and its data directory. */
  readonly env: Readonly<Record<string, string>>;
  /** Where it keeps what it is told: in a file in its data directory, unless this says otherwise. */
  readonly store?: KilledStore;
  readonly onKill?: (kills: number) => void;
}

export interface KilledStore {
  /** Changes with every write. */
  readonly directory: string;
  readonly env: Readonly<Record<string, string>>;
  readonly read: () => Promise<StoredHistory>;
  /** When it is too busy to answer in time. */
  readonly mayRefuse: boolean;
}

export interface KillReport {
  readonly kills: number;
  readonly killedAt: Readonly<Partial<Record<Death, number>>>;
  readonly acknowledged: number;
  /** With `overloaded`: these may never have happened. Or by a store that was too busy: those were asked again. */
  readonly refused: number;
  /** Replies by how they ended. */
  readonly ends: Readonly<Record<string, number>>;
  /** The longest that somebody waited for the end of a reply while the server was there, in milliseconds. */
  readonly slowestEndMs: number;
  readonly violations: readonly Violation[];
}

export async function runKills(options: KillOptions): Promise<KillReport> {
  const { seed, dataDirectory, store = inFile(dataDirectory) } = options;
  const changed = new Pulse();
  let url: string | null = null;
  let isOver = false;
  let drawn = 0;
  const pick = (below: number) => Math.floor(uniformAt(seed, 1, drawn++) * below);
  // All of them have one address.
  const place = { PORT: String(await freePort()), DATA_DIR: dataDirectory };
  const env = { RATE_LIMITS: 'off', ...store.env, ...options.env, ...place };
  await using victim = new Victim(env, { pick, watched: store.directory });
  const world: World = {
    pick,
    isOver: () => isOver,
    up: async () => {
      while (url === null) await changed.wait();
      return url;
    },
    happened: (moment) => victim.happened(moment),
    storeMayRefuse: store.mayRefuse,
  };
  const open = (address: string) => {
    url = address;
    changed.beat();
  };

  let address = await victim.start({ mayDie: false });
  const count = options.people + (options.senders ?? 0);
  const guests = await Promise.all(Array.from({ length: count }, () => guestsAt(address).guest()));
  const people = guests.map(({ token }, place) =>
    place < options.people ? new Person(world, token) : new Sender(world, token),
  );
  const lives = Promise.all(people.map((person) => person.live()));
  lives.catch(() => undefined);
  while (victim.kills < options.kills) {
    const death = victim
      .die(() => open(address))
      .finally(() => {
        url = null;
      });
    // People who have found something wrong live no longer, and say why.
    await Promise.race([death, lives]);
    options.onKill?.(victim.kills);
    address = await victim.start({ mayDie: true });
  }
  isOver = true;
  open(address);
  await lives;
  await victim.stop();
  return toReport(people, victim, await store.read());
}

function inFile(dataDirectory: string): KilledStore {
  return {
    directory: dataDirectory,
    env: {},
    read: async () => readStoredHistory(dataDirectory),
    mayRefuse: false,
  };
}

function toReport(people: readonly (Person | Sender)[], victim: Victim, stored: StoredHistory): KillReport {
  const counts = people.map((person) => person.counts);
  return {
    kills: victim.kills,
    killedAt: victim.killedAt,
    acknowledged: counts.reduce((sum, { answered }) => sum + answered, 0),
    refused: counts.reduce((sum, { refused }) => sum + refused, 0),
    ends: countBy(counts.flatMap(({ ends }) => ends)),
    slowestEndMs: Math.round(Math.max(...counts.map(({ slowestEndMs }) => slowestEndMs))),
    violations: findViolations(
      people.map((person) => person.history),
      stored,
    ),
  };
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
}

function countBy(names: readonly string[]): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const name of names) counts[name] = (counts[name] ?? 0) + 1;
  return counts;
}
