/** A server that is killed again and again while people talk with it, and what is left of it. */

import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { createServer } from 'node:net';
import { uniformAt } from '../../../src/engine/uniform.ts';
import { Pulse } from '../../../src/std/pulse.ts';
import { type CliProcess, startCli } from '../cli-process.ts';
import { findViolations, type Violation } from './history.ts';
import { type Moment, Person, type World } from './person.ts';
import { readStoredHistory } from './read-store.ts';

export interface KillOptions {
  readonly kills: number;
  readonly people: number;
  readonly seed: number;
  readonly dataDirectory: string;
  /** Settings of the server beside its port and its data directory. */
  readonly env: Readonly<Record<string, string>>;
  readonly onKill?: (kills: number) => void;
}

export interface KillReport {
  readonly kills: number;
  readonly killedAt: Readonly<Record<string, number>>;
  readonly acknowledged: number;
  /** With `overloaded`: these may never have happened. */
  readonly refused: number;
  /** Replies by how they ended. */
  readonly ends: Readonly<Record<string, number>>;
  readonly violations: readonly Violation[];
}

/** Where in the life of a server it is killed: as soon as it listens, or at the n-th of these moments. */
const deaths = ['start', 'asked', 'answered', 'delta', 'delta'] as const;
const momentsMax = 40;

export async function runKills(options: KillOptions): Promise<KillReport> {
  const { seed, dataDirectory } = options;
  const killedAt: Record<string, number> = {};
  const changed = new Pulse();
  const port = await freePort();
  const env = { ...options.env, PORT: String(port), DATA_DIR: dataDirectory };
  let url: string | null = null;
  let isOver = false;
  let countdown: { readonly moment: Moment; left: number } | null = null;
  let server: CliProcess | null = null;
  let drawn = 0;
  const pick = (below: number) => Math.floor(uniformAt(seed, 1, drawn++) * below);

  const kill = () => {
    url = null;
    countdown = null;
    server?.child.kill('SIGKILL');
  };
  const world: World = {
    pick,
    isOver: () => isOver,
    up: async () => {
      while (url === null) await changed.wait();
      return url;
    },
    happened: (moment) => {
      if (countdown?.moment === moment && --countdown.left <= 0) kill();
    },
  };
  const start = async () => {
    server = startCli(['serve'], env);
    const [, address] = await server.seen(/listens on (http:\S+?)"/);
    return { running: server, address: address ?? '' };
  };

  let { running, address } = await start();
  const people = await Promise.all(
    Array.from({ length: options.people }, async () => new Person(world, await guestToken(address))),
  );
  const lives = Promise.all(people.map((person) => person.live()));
  lives.catch(() => undefined);
  for (let kills = 0; kills < options.kills; kills++) {
    const death = deaths[pick(deaths.length)]!;
    killedAt[death] = (killedAt[death] ?? 0) + 1;
    if (death === 'start') kill();
    else {
      countdown = { moment: death, left: 1 + pick(momentsMax) };
      url = address;
      changed.beat();
    }
    await Promise.race([running.ended, lives]);
    options.onKill?.(kills + 1);
    ({ running, address } = await start());
  }
  isOver = true;
  url = address;
  changed.beat();
  await lives;
  running.child.kill('SIGTERM');
  await running.ended;
  const counts = people.map((person) => person.counts);
  return {
    kills: options.kills,
    killedAt,
    acknowledged: counts.reduce((sum, { answered }) => sum + answered, 0),
    refused: counts.reduce((sum, { refused }) => sum + refused, 0),
    ends: countBy(counts.flatMap(({ ends }) => ends)),
    violations: findViolations(
      people.map((person) => person.history),
      readStoredHistory(dataDirectory),
    ),
  };
}

async function guestToken(url: string): Promise<string> {
  const answer = await fetch(`${url}/v1/guests`, { method: 'POST' });
  return ((await answer.json()) as { token: string }).token;
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
