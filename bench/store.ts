/**
 * The embedded store in the thread that asks it, and in a thread of its own: what a call costs, and how long it keeps the asking thread.
 *
 *     npm run bench -- store [--rounds 5] [--json]
 *
 * Messages with their replies' places are stored one after another and 3,000 at the same moment; then windows of 64 messages are
 * read. The delay is the longest time for which a timer of 1 ms was late meanwhile. Medians of rounds in turn, on the disk of DATA_DIR.
 */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import type { NewTurn } from '../src/conversation/stores.ts';
import { openEmbeddedStore } from '../src/storage/embedded/embedded-store.ts';
import { openStoreThread } from '../src/storage/embedded/store-thread.ts';
import type { Store } from '../src/storage/store.ts';
import { describeMachine, median } from './machine.ts';

const { values } = parseArgs({
  options: { rounds: { type: 'string', default: '5' }, json: { type: 'boolean', default: false } },
});
const [oneByOne, atOnce, reads, window] = [300, 3000, 300, 64];
const directory = process.env['DATA_DIR'] ?? 'data';
const openers = { 'asking thread': openEmbeddedStore, 'own thread': openStoreThread };

const rounds: ({ readonly where: string } & Awaited<ReturnType<typeof measure>>)[] = [];
for (let round = 0; round < Number(values.rounds); round += 1)
  for (const [where, open] of Object.entries(openers)) rounds.push({ where, ...(await measure(open)) });

const rows = Object.keys(openers).map((where) => {
  const own = rounds.filter((round) => round.where === where);
  const of = (figure: (round: (typeof rounds)[number]) => number) =>
    Math.round(1000 * median(own.map(figure))) / 1000;
  return {
    'store in': where,
    'one after another, ms each': of(({ single }) => single),
    'at the same moment, ms each': of(({ burst }) => burst),
    'delay of the asking thread, ms': of(({ delay }) => delay),
    'window read, ms': of(({ read }) => read),
  };
});
const result = { ...describeMachine(), rounds: Number(values.rounds), oneByOne, atOnce, window, rows };
writeFileSync(new URL('./results/store.json', import.meta.url), `${JSON.stringify(result, null, 2)}\n`);
if (values.json) console.log(JSON.stringify(result, null, 2));
else console.table(rows);

async function measure(open: (options: { file: string }) => Promise<Store>) {
  mkdirSync(directory, { recursive: true });
  const scratch = mkdtempSync(join(directory, 'bench-store-'));
  const store = await open({ file: join(scratch, 'amity.db') });
  try {
    await store.defaultConversation({ userId: 'u', newConversationId: 'c', at: 1 });
    const turn = turns();
    await eachOf(50, () => store.appendTurn(turn()));
    const single = await timed(oneByOne, () => eachOf(oneByOne, () => store.appendTurn(turn())));
    const lateness = watchTimer();
    const burst = await timed(atOnce, () =>
      Promise.all(Array.from({ length: atOnce }, () => store.appendTurn(turn()))),
    );
    const delay = await lateness();
    const { selectedLeafId } = (await store.conversation('u', 'c')) ?? {};
    const page = { conversationId: 'c', leafId: selectedLeafId ?? '', limit: window };
    const read = await timed(reads, () => eachOf(reads, () => store.branchPage(page)));
    return { single, burst, delay, read };
  } finally {
    await store[Symbol.asyncDispose]();
    rmSync(scratch, { recursive: true });
  }
}

function turns(): () => NewTurn {
  let n = 0;
  return () => {
    n += 1;
    return {
      ...{ userId: 'u', conversationId: 'c', clientId: `client-${n}`, bodyHash: 'hash', at: n },
      ...{ userMessageId: `m-${n}`, companionMessageId: `r-${n}`, generationId: `g-${n}` },
      text: 'Hello there, how are you today? It has been a long week. '.repeat(2),
      place: { parentId: undefined },
      quota: null,
    };
  };
}

async function eachOf(count: number, work: () => Promise<unknown>): Promise<void> {
  for (let n = 0; n < count; n += 1) await work();
}

/** Milliseconds for each of `count`. */
async function timed(count: number, work: () => Promise<unknown>): Promise<number> {
  const began = performance.now();
  await work();
  return (performance.now() - began) / count;
}

/** @returns asks for the longest time that the timer came late, in milliseconds. */
function watchTimer(): () => Promise<number> {
  let [last, worst] = [performance.now(), 0];
  const look = () => {
    const now = performance.now();
    worst = Math.max(worst, now - last - 1);
    last = now;
  };
  const timer = setInterval(look, 1);
  return async () => {
    await new Promise((resolve) => setImmediate(resolve));
    look();
    clearInterval(timer);
    return worst;
  };
}
