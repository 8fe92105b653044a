import type { GenerationEvent, GenerationRequest, Generator } from '../../src/conversation/generator.ts';
import { CodedError } from '../../src/std/coded-error.ts';

/** What a scripted generation does, in order. `wait` holds it until the promise resolves or it is stopped. */
export type ScriptStep =
  | { readonly say: string }
  | { readonly wait: Promise<void> }
  | { readonly fail: 'generation_failed' | 'model_unavailable' | 'overloaded' }
  | { readonly break: Error };

/** A generator without a model: each generation follows the script; stopped, it ends with what it has said. */
export function createScriptedGenerator(
  script: (request: GenerationRequest) => readonly ScriptStep[],
): Generator & {
  readonly requests: GenerationRequest[];
} {
  const requests: GenerationRequest[] = [];
  async function* generate(request: GenerationRequest, signal: AbortSignal): AsyncGenerator<GenerationEvent> {
    requests.push(request);
    let text = '';
    yield { kind: 'started', promptTokens: 1, candidates: request.candidates };
    const stopped = new Promise<void>((resolve) => signal.addEventListener('abort', () => resolve()));
    for (const step of script(request)) {
      if (signal.aborted) break;
      if ('fail' in step) throw new CodedError(step.fail, 'scripted');
      if ('break' in step) throw step.break;
      if ('wait' in step) await Promise.race([step.wait, stopped]);
      else {
        text += step.say;
        yield { kind: 'text', text: step.say };
      }
    }
    const finishReason = signal.aborted ? 'cancelled' : 'stop';
    const candidates = [{ index: 0, text, tokens: text.length, finishReason, logProb: -1 } as const];
    yield { kind: 'finished', shown: 0, candidates };
  }
  return { model: 'scripted', requests, admits: () => ({ ok: true }), generate };
}
