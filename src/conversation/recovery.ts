import type { GenerationStore } from './stores.ts';

/**
 * Ends what the last run of the process left unfinished, with the text that was stored. Call it before any socket is
 * let in. Returns how many.
 */
export async function failUnfinished(store: GenerationStore, at: number): Promise<number> {
  const unfinished = await store.unfinishedGenerations();
  for (const { generationId, text, candidates } of unfinished) {
    await store.endGeneration({
      generationId,
      status: 'failed',
      finishReason: null,
      text,
      candidates,
      shownCandidateId: null,
      propensity: null,
      at,
    });
  }
  return unfinished.length;
}
