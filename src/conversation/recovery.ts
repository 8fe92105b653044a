/** What the last run of the process left unfinished goes on, or is ended: nothing stays `running` for ever. */
import type { Generation } from './message.ts';
import type { Replies } from './replies.ts';
import type { Turn } from './reply.ts';
import type { ConversationStore, GenerationStore } from './stores.ts';

/** A generation that broke off this often is likely to be what breaks the process. */
const attemptsMax = 2;
/** Nobody waits any more for an answer to a message that is older. */
const ageMaxMs = 10 * 60_000;

export interface Recovered {
  readonly resumed: number;
  readonly failed: number;
}

/**
 * Puts unfinished generations in line again, each with the text that its readers have seen; those that were tried too often,
 * or are too old, end as `failed` with it. Call it before any socket is let in.
 */
export async function recoverReplies(
  deps: { readonly store: ConversationStore & GenerationStore; readonly replies: Replies },
  now: number,
): Promise<Recovered> {
  let resumed = 0;
  let failed = 0;
  for (const generation of await deps.store.unfinishedGenerations()) {
    const isHopeless = generation.attempts >= attemptsMax || now - generation.createdAt > ageMaxMs;
    const turn = isHopeless ? null : await turnOf(deps.store, generation);
    if (turn === null) {
      await fail(deps.store, generation, now);
      failed++;
    } else {
      deps.replies.begin(turn, generation.text);
      resumed++;
    }
  }
  return { resumed, failed };
}

/** What is to be answered; null when its messages are gone. */
export async function turnOf(store: ConversationStore, generation: Generation): Promise<Turn | null> {
  const { userId, generationId, conversationId, replyTo } = generation;
  const user = await store.message(userId, replyTo);
  const companion = await store.message(userId, generation.messageId);
  if (user === null || companion === null) return null;
  return { generationId, conversationId, userId, user, companion };
}

async function fail(store: GenerationStore, generation: Generation, at: number): Promise<void> {
  const { generationId, text, candidates } = generation;
  await store.endGeneration({
    generationId,
    status: 'failed',
    finishReason: null,
    text,
    candidates,
    shownCandidateId: null,
    race: null,
    at,
  });
}
