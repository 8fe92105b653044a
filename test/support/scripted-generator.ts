import type { GenerationEvent, GenerationRequest, Generator } from '../../src/conversation/generator.ts';
import type { LoadLevel } from '../../src/conversation/load-level.ts';
import type { Candidate } from '../../src/engine/request.ts';
import { CodedError } from '../../src/std/coded-error.ts';

/**
 * What a scripted generation does, in order.
 *   say          text of one candidate: of the one that is shown (0), or of `index` where all are
 *   wait         holds it until the promise resolves or it is stopped
 *   end          how the candidates end; without it: 'stop'
 *   lose         the worker dies, and nothing comes any more
 *   alternative  comes last: the reply finishes, then its runner-up ends with this text; null: its worker dies first
 */
export type ScriptStep =
  | { readonly say: string; readonly index?: number }
  | { readonly wait: Promise<void> }
  | { readonly end: 'stop' | 'length' }
  | { readonly alternative: string | null }
  | { readonly lose: string }
  | { readonly fail: 'generation_failed' | 'model_unavailable' | 'overloaded' }
  | { readonly break: Error };

/** A generator without a model: each generation follows the script; stopped, it ends with what it has said. */
export function createScriptedGenerator(
  script: (request: GenerationRequest) => readonly ScriptStep[],
): Generator & {
  readonly requests: GenerationRequest[];
  /** Of all generations: those that came to an end, by themselves or because their reader left. */
  readonly ended: GenerationRequest[];
} {
  const requests: GenerationRequest[] = [];
  const ended: GenerationRequest[] = [];
  const level = (): LoadLevel => 1;
  async function* generate(request: GenerationRequest, signal: AbortSignal): AsyncGenerator<GenerationEvent> {
    requests.push(request);
    try {
      yield* follow(script(request), request, signal);
    } finally {
      ended.push(request);
    }
  }
  const ready = () => Promise.resolve();
  return { model: 'scripted', requests, ended, admits: () => ({ ok: true }), level, ready, generate };
}

async function* follow(
  steps: readonly ScriptStep[],
  request: GenerationRequest,
  signal: AbortSignal,
): AsyncGenerator<GenerationEvent> {
  const { selection, written } = request;
  const count = selection.kind === 'all' ? selection.candidates : 1;
  const texts = Array.from({ length: count }, () => written);
  let end: 'stop' | 'length' = 'stop';
  let alternative: string | null | undefined;
  const stopped = new Promise<void>((resolve) => signal.addEventListener('abort', () => resolve()));
  yield {
    kind: 'started',
    promptTokens: request.prompt.length,
    candidates: count,
    level: selection.kind === 'race' ? 1 : null,
  };
  for (const step of steps) {
    if (signal.aborted && !('lose' in step)) break;
    if ('fail' in step) throw new CodedError(step.fail, 'scripted');
    if ('break' in step) throw step.break;
    if ('lose' in step) {
      yield { kind: 'lost', reason: step.lose };
      return;
    }
    if ('wait' in step) await Promise.race([step.wait, stopped]);
    else if ('end' in step) end = step.end;
    else if ('alternative' in step) alternative = step.alternative;
    else {
      const { say, index = 0 } = step;
      texts[index] += say;
      yield { kind: 'text', index, text: say };
    }
  }
  const finishReason = signal.aborted ? 'cancelled' : end;
  yield toFinished(request, { texts, finishReason, hasMore: alternative !== undefined });
  if (alternative === null) yield { kind: 'lost', reason: 'scripted' };
  else if (alternative !== undefined) {
    yield { kind: 'alternative', candidate: toCandidate(selection, { index: 1, text: alternative }) };
  }
}

function toFinished(
  { selection }: GenerationRequest,
  made: { texts: readonly string[]; finishReason: Candidate['finishReason']; hasMore: boolean },
): GenerationEvent {
  const { finishReason, hasMore } = made;
  const candidates = made.texts.map((text, index) => toCandidate(selection, { index, text, finishReason }));
  if (selection.kind === 'all') return { kind: 'finished', shown: null, candidates, race: null, hasMore };
  const runnerUp = toCandidate(selection, { index: 1, text: '', finishReason: 'dropped' });
  const commit = { index: 0, tokens: 1, isExplored: false, propensity: 1 };
  return {
    kind: 'finished',
    shown: 0,
    candidates: hasMore ? [...candidates, runnerUp] : candidates,
    race: { level: 1, candidates: hasMore ? 2 : 1, checkpoints: [], commit },
    hasMore,
  };
}

function toCandidate(
  selection: GenerationRequest['selection'],
  own: Pick<Candidate, 'index' | 'text'> & Partial<Candidate>,
): Candidate {
  const verdict = { score: -1 - own.index, features: {}, filterReason: null };
  return {
    tokens: own.text.length,
    finishReason: 'stop',
    logProb: -1,
    verdict: selection.kind === 'race' ? verdict : null,
    ...own,
  };
}
