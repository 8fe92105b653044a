import type { Generator } from '../conversation/generator.ts';
import { CodedError } from '../std/coded-error.ts';

/** How long clients wait before they ask again for a model that an operator has to mend. */
const retryAfterMs = 10_000;

/** Stands in where no model could be opened: the server answers everything but messages, and says why. */
export function createAbsentGenerator(model: string, reason: string): Generator {
  const refusal = new CodedError('model_unavailable', reason, { retryAfterMs });
  return {
    model,
    admits: () => ({ ok: false, code: 'model_unavailable', message: refusal.message, retryAfterMs }),
    level: () => 1,
    ready: () => Promise.reject(refusal),
    generate: () => {
      throw refusal;
    },
  };
}
