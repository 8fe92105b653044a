/** A server whose database is killed, gone or silent again and again while people send, and what is left of it. */
import { setTimeout as pause } from 'node:timers/promises';
import { uniformAt } from '../../../src/engine/uniform.ts';
import { startCli } from '../cli-process.ts';
import type { MongoServer } from '../mongo-server.ts';
import { guestsAt } from '../wire-client.ts';
import { findViolations, type Violation } from './history.ts';
import { killedMongoStore } from './read-mongo-store.ts';
import { type Refusal, Sender } from './sender.ts';

export interface StoreTroubles {
  readonly server: MongoServer;
  /** kill -9 of the database, which is started again at once. */
  readonly kills: number;
  /** Times that it is away, or answers nothing, for some seconds. */
  readonly outages: number;
  /** Who send without waiting for replies, each message four times at once. */
  readonly senders: number;
  readonly seed: number;
  readonly dataDirectory: string;
  /** Settings of the server beside its store and its data directory. */
  readonly env: Readonly<Record<string, string>>;
  readonly onTrouble?: (troubles: number) => void;
}

export interface TroubleReport {
  readonly kills: number;
  readonly outages: number;
  readonly acknowledged: number;
  readonly refused: number;
  /** The longest time that a refusal took, in milliseconds. */
  readonly slowestRefusalMs: number;
  /** The same, not counting what was before the trouble in which it was refused. */
  readonly slowestRefusalInTroubleMs: number;
  /** The longest time from the return of the database to the next acknowledgement, in milliseconds. */
  readonly slowestRecoveryMs: number;
  readonly violations: readonly Violation[];
}

/** How long an outage lasts, in milliseconds. */
const outageMs = { least: 1000, more: 2000 };
/** Between two of them, so that something happens. */
const calmMs = { least: 300, more: 700 };

export async function runStoreTroubles(options: StoreTroubles): Promise<TroubleReport> {
  const { server, dataDirectory } = options;
  const store = killedMongoStore(server);
  await using app = startCli(['serve'], {
    ...{ RATE_LIMITS: 'off', PORT: '0', DATA_DIR: dataDirectory },
    ...store.env,
    ...options.env,
  });
  const [, url = ''] = await app.seen(/listens on (http:\S+?)"/);
  let isOver = false;
  let answers = 0;
  const answered = () => {
    answers += 1;
  };
  const world = { up: async () => url, isOver: () => isOver, answered };
  const guests = await Promise.all(Array.from({ length: options.senders }, () => guestsAt(url).guest()));
  const senders = guests.map(({ token }) => new Sender(world, token));
  const lives = Promise.all(senders.map((sender) => sender.live()));
  lives.catch(() => undefined);
  const { recoveries, begun } = await trouble(options, () => answers);
  isOver = true;
  await lives;
  app.child.kill('SIGTERM');
  await app.ended;
  const counts = senders.map((sender) => sender.counts);
  const refusals = senders.flatMap((sender) => sender.refusals);
  const slowest = (since: (refusal: Refusal) => number) =>
    Math.round(Math.max(0, ...refusals.map((refusal) => refusal.told - since(refusal))));
  return {
    ...{ kills: options.kills, outages: options.outages },
    acknowledged: counts.reduce((sum, { answered }) => sum + answered, 0),
    refused: counts.reduce((sum, { refused }) => sum + refused, 0),
    slowestRefusalMs: slowest(({ asked }) => asked),
    slowestRefusalInTroubleMs: slowest(({ asked, told }) =>
      Math.max(asked, begun.findLast((at) => at < told) ?? 0),
    ),
    slowestRecoveryMs: Math.round(Math.max(0, ...recoveries)),
    violations: findViolations(
      senders.map((sender) => sender.history),
      await store.read(),
    ),
  };
}

/** @returns how long each recovery took, and when each trouble began. */
async function trouble(
  options: StoreTroubles,
  answers: () => number,
): Promise<{ readonly recoveries: readonly number[]; readonly begun: readonly number[] }> {
  const { server, kills, outages, seed } = options;
  let drawn = 0;
  const pick = (below: number) => Math.floor(uniformAt(seed, 1, drawn++) * below);
  const kinds = [...Array<'kill'>(kills).fill('kill'), ...Array<'outage'>(outages).fill('outage')];
  const recoveries: number[] = [];
  const begun: number[] = [];
  for (let done = 0; kinds.length > 0; done += 1) {
    await pause(calmMs.least + pick(calmMs.more));
    const [kind] = kinds.splice(pick(kinds.length), 1);
    begun.push(performance.now());
    const awayMs = kind === 'kill' ? 0 : outageMs.least + pick(outageMs.more);
    if (kind === 'outage' && pick(2) === 0) {
      server.freeze();
      await pause(awayMs);
      server.thaw();
    } else {
      await server.kill();
      await pause(awayMs);
      await server.restart();
    }
    recoveries.push(await untilAnswered(answers));
    options.onTrouble?.(done + 1);
  }
  return { recoveries, begun };
}

/** Milliseconds until the next acknowledgement. */
async function untilAnswered(answers: () => number): Promise<number> {
  const [before, began] = [answers(), performance.now()];
  while (answers() === before) {
    if (performance.now() - began > 60_000) throw new Error('Nothing is acknowledged any more.');
    await pause(5);
  }
  return performance.now() - began;
}
