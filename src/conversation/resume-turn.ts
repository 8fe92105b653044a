/** A turn that was stored, and whose caller was told that it may not have been: the store did its work, and its answer got lost. */
import { turnOf } from './recovery.ts';
import type { Replies } from './replies.ts';
import type { Reply } from './reply.ts';
import type { ConversationStore, GenerationStore } from './stores.ts';

interface ResumeDeps {
  readonly store: ConversationStore & GenerationStore;
  readonly replies: Replies;
  readonly draining: () => boolean;
}

/**
 * Looks for the turn that a repeated request is about, when nobody has put it in line: to be called with every repeat. Only this process may
 * be answering turns of the store: another one's replies are not known here.
 *
 * @returns what puts it in line, unless the first caller, or another repeat, has been faster meanwhile; null where there is nothing left to
 * do, which is the rule.
 */
export async function findUnanswered(
  { store, replies, draining }: ResumeDeps,
  asked: { readonly userId: string; readonly generationId: string },
): Promise<(() => Reply | null) | null> {
  const { userId, generationId } = asked;
  const isInLine = () => replies.find(generationId) !== undefined;
  if (isInLine()) return null;
  const generation = await store.generation(userId, generationId);
  if (generation === null || generation.endedAt !== null) return null;
  const turn = await turnOf(store, generation);
  if (turn === null) return null;
  return () => (isInLine() || draining() ? null : replies.begin(turn, generation.text));
}
