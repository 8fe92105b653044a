/** Turns without sockets: the real embedded store, a scripted generator, and restarts on what is stored. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type AnswerDeps, answerTurn } from '../../../src/conversation/answer.ts';
import { recoverReplies } from '../../../src/conversation/recovery.ts';
import { Replies } from '../../../src/conversation/replies.ts';
import { sendMessage } from '../../../src/conversation/send-message.ts';
import type { Sent } from '../../../src/conversation/store-message.ts';
import { transcriptTemplate } from '../../../src/conversation/transcript-template.ts';
import { Windows } from '../../../src/conversation/windows.ts';
import { createIds } from '../../../src/random-ids.ts';
import { openEmbeddedStore } from '../../../src/storage/embedded/embedded-store.ts';
import type { Store } from '../../../src/storage/store.ts';
import { createScriptedGenerator, type ScriptStep } from '../../support/scripted-generator.ts';

type Script = Parameters<typeof createScriptedGenerator>[0];

export async function openTurnWorld(
  script: readonly ScriptStep[] | Script,
  wrap: (store: Store) => Store = (store) => store,
) {
  let now = 1_000;
  const clock = { now: () => now, monotonic: () => 0 };
  const directory = await mkdtemp(join(tmpdir(), 'amity-answer-'));
  const real = await openEmbeddedStore({ file: join(directory, 'amity.db') });
  const store = wrap(real);
  const generator = createScriptedGenerator(typeof script === 'function' ? script : () => script);
  const failures: unknown[] = [];
  const losses: unknown[] = [];
  let perText = 1;
  let turnsPerDayMax: number | null = null;
  const deps: AnswerDeps = {
    store,
    windows: new Windows(store, clock),
    generator,
    prompt: {
      persona: { personaId: 'p', name: 'Amity', instructions: 'be kind' },
      template: transcriptTemplate,
      counter: { countTokens: (segments) => (segments.length === 1 ? perText : segments.length) },
      model: 'scripted',
      budgetTokens: 100,
    },
    clock,
    ids: createIds(clock),
    options: {
      replyTokensMax: 10,
      replyTokensSoftMax: 10,
      sampling: { temperature: 1, topK: 1, topP: 1, repetitionPenalty: 1 },
    },
    observer: {
      started() {},
      firstText() {},
      ended() {},
      failed: (_turn, error) => failures.push(error),
      workerLost: (_turn, facts) => losses.push(facts),
    },
    pause: () => Promise.resolve(),
  };
  const replies = new Replies((reply) => answerTurn(deps, reply));
  const send = async (
    text: string,
    clientMessageId = crypto.randomUUID(),
  ): Promise<Sent & { kind: 'created' }> => {
    const request = { userId: 'u_1', clientMessageId, conversationId: undefined, text, parentId: undefined };
    const sent = await sendMessage(
      {
        store,
        replies,
        generator,
        clock,
        ids: createIds(clock),
        digest: (body) => body,
        draining: () => false,
        turnsPerDayMax,
      },
      request,
    );
    if (sent.kind !== 'created') throw new Error(`not stored: ${sent.kind}`);
    return sent;
  };
  /** As the next process finds it: the same store, nothing in memory. */
  const restart = async (nextScript: readonly ScriptStep[], now = 2_000, ready = Promise.resolve()) => {
    const nextGenerator = { ...createScriptedGenerator(() => nextScript), ready: () => ready };
    const nextDeps = { ...deps, store: real, windows: new Windows(real, clock), generator: nextGenerator };
    const next = new Replies((reply) => answerTurn(nextDeps, reply));
    return {
      recovered: await recoverReplies({ store: real, replies: next }, now),
      replies: next,
      nextGenerator,
    };
  };
  return {
    store: real,
    generator,
    failures,
    losses,
    replies,
    send,
    restart,
    /** The clock jumps there; durations do not see it. @param ms since the epoch */
    setClock: (ms: number) => {
      now = ms;
    },
    /** Turns that the user may have on one day, from now on. */
    allowTurns: (max: number) => {
      turnsPerDayMax = max;
    },
    /** Tokens that a single text counts from now on. */
    countsText: (tokens: number) => {
      perText = tokens;
    },
    [Symbol.asyncDispose]: async () => {
      await real[Symbol.asyncDispose]();
      await rm(directory, { recursive: true });
    },
  };
}
