/** `amity db copy` that is killed again and again on its way: at last both stores are the same, by an own look at them. */
import { createHash } from 'node:crypto';
import { setTimeout as pause } from 'node:timers/promises';
import { type StoreSummary, summarize } from '../../../src/records/copy-store.ts';
import { toImportedConversation } from '../../../src/records/imported-conversation.ts';
import type { ConversationRecord } from '../../../src/records/record.ts';
import type { Store } from '../../../src/storage/store.ts';
import { startCli } from '../cli-process.ts';

/** Messages of each invented conversation; each user has two. */
const messagesEach = 50;

/** Conversations that are put at one time. */
const lanes = 4;

/** Fills a store with invented conversations, `messages` in all. */
export async function fillStore(store: Store, messages: number): Promise<void> {
  await Promise.all(Array.from({ length: lanes }, (_, lane) => fillLane(store, messages, lane)));
}

async function fillLane(store: Store, messages: number, lane: number): Promise<void> {
  for (let n = lane; n < messages / messagesEach; n += lanes) {
    const userId = `user-${String(Math.floor(n / 2)).padStart(6, '0')}`;
    await store.putConversation(conversationOf(userId, n, messagesEach));
    if (n % 2 === 0) await store.changeSettings(userId, { locale: n % 4 === 0 ? 'de' : 'en' });
  }
}

/** @param n tells it from others. */
export function conversationOf(userId: string, n: number, messages: number): ConversationRecord {
  const at = Date.UTC(2026, 0, 1);
  const lines = Array.from({ length: messages }, (_, place) => ({
    role: place % 2 === 0 ? ('user' as const) : ('companion' as const),
    text: `Message ${place} of conversation ${n}: ${wordsOf(n * messagesEach + place)}`,
    createdAt: at + n * 1000 + place,
    externalId: place % 10 === 0 ? `${n}:${place}` : null,
  }));
  return toImportedConversation(userId, lines, (prefix, place) => `${prefix}_${n}_${place}`);
}

/** Some words that are different for each number. */
function wordsOf(number: number): string {
  const digest = createHash('sha256').update(`${number}`).digest('hex');
  return (digest.match(/.{8}/g) ?? []).join(' ');
}

export interface CopyKills {
  readonly from: string;
  readonly to: string;
  readonly dataDirectory: string;
  readonly kills: number;
  /** Below `below`, from a seed. */
  readonly pick: (below: number) => number;
  /** About how long a copy takes, in milliseconds: kills are drawn from that. */
  readonly expectedMs: number;
  readonly onKill?: (kills: number) => void;
}

export interface CopyReport {
  /** Kills that came before a copy had ended. */
  readonly kills: number;
  readonly summary: StoreSummary;
}

export async function copyThroughKills(options: CopyKills): Promise<CopyReport> {
  const { from, to, dataDirectory, pick, expectedMs } = options;
  const args = ['db', 'copy', '--from', from, '--to', to, '--json'];
  let kills = 0;
  while (kills < options.kills) {
    await using copying = startCli(args, { DATA_DIR: dataDirectory });
    const left = expectedMs / Math.max(1, options.kills - kills);
    const isOver = await Promise.race([
      copying.ended.then(() => true),
      pause(startMs + pick(Math.max(1, Math.round(left)))).then(() => false),
    ]);
    if (isOver) throw new Error(`The copy came to an end after ${kills} kills: ${copying.errors()}`);
    copying.child.kill('SIGKILL');
    await copying.ended;
    kills += 1;
    options.onKill?.(kills);
  }
  await using last = startCli(args, { DATA_DIR: dataDirectory });
  const { code, output } = await last.ended;
  if (code !== 0) throw new Error(`The last copy failed: ${last.errors()}`);
  return { kills, summary: JSON.parse(output) as StoreSummary };
}

/** What starting a process takes. */
const startMs = 1200;

/** What a store holds, as this process reads it. */
export function summaryOf(store: Store, at: number): Promise<StoreSummary> {
  const createDigest = () => {
    const hash = createHash('sha256');
    return { update: (text: string) => hash.update(text), digest: () => hash.digest('hex') };
  };
  return summarize(store, { at, createDigest, onProgress: () => {} });
}
