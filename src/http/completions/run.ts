/** One generation, as the answers read it. */
import type { GenerationRequest, Generator } from '../../conversation/generator.ts';
import type { Clock } from '../../std/clock.ts';
import { CodedError } from '../../std/coded-error.ts';
import type { CompletionEnd } from './response.ts';

export type CompletionEvent =
  | { readonly kind: 'started' }
  | { readonly kind: 'text'; readonly index: number; readonly text: string }
  | { readonly kind: 'end'; readonly end: CompletionEnd };

/** Told of what happened, never of what was said. */
export interface CompletionObserver {
  ended(facts: {
    readonly outcome: 'done' | 'cancelled';
    readonly promptTokens: number;
    /** Of all completions. */
    readonly tokens: number;
    readonly completions: number;
    readonly durationMs: number;
  }): void;
  /** Also of those that were refused before they began. */
  failed(error: unknown): void;
}

export interface CompletionRun {
  readonly request: GenerationRequest & {
    readonly selection: { readonly kind: 'all'; readonly candidates: number };
  };
  readonly signal: AbortSignal;
}

/**
 * First `started`, once the generation has its place; last `end`, unless it throws.
 *
 * @throws CodedError what `generate` throws; `shutting_down` when it was stopped.
 */
export async function* runCompletion(
  deps: { readonly generator: Generator; readonly clock: Clock; readonly observer: CompletionObserver },
  { request, signal }: CompletionRun,
): AsyncGenerator<CompletionEvent> {
  const began = deps.clock.monotonic();
  let promptTokens: number | null = null;
  for await (const event of deps.generator.generate(request, signal)) {
    if (event.kind === 'lost') throw new CodedError('generation_failed', event.reason);
    if (event.kind === 'started' && promptTokens === null) {
      promptTokens = event.promptTokens;
      yield { kind: 'started' };
    } else if (event.kind === 'text') yield event;
    else if (event.kind === 'finished') {
      const { candidates } = event;
      const isWhole = candidates.every(
        ({ finishReason }) => finishReason === 'stop' || finishReason === 'length',
      );
      const end: CompletionEnd = { promptTokens: promptTokens ?? 0, candidates };
      deps.observer.ended({
        outcome: isWhole ? 'done' : 'cancelled',
        promptTokens: end.promptTokens,
        tokens: candidates.reduce((sum, { tokens }) => sum + tokens, 0),
        completions: candidates.length,
        durationMs: deps.clock.monotonic() - began,
      });
      if (!isWhole) throw new CodedError('shutting_down', 'The completion was stopped.');
      assertComplete(candidates.length, request.selection.candidates);
      yield { kind: 'end', end };
      return;
    }
  }
  throw new Error('The generator ended without an end.');
}

/** A sequence whose numbers went wrong is missing among the candidates; its neighbours are not. */
function assertComplete(made: number, asked: number): void {
  if (made === asked) return;
  throw new CodedError('generation_failed', `${asked - made} of ${asked} completions failed.`);
}
