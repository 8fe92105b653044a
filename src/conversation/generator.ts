import type { Candidate, SamplingParams } from '../engine/request.ts';
import type { PromptSegment } from './prompt-segment.ts';

/** Whatever writes replies: the worker pool of this process, later an upstream server or other machines. */
export interface Generator {
  /** Name of the model that answers, as stored with each generation. */
  readonly model: string;

  /** Whether a request would find a place in the queue; asked before a message is stored. */
  admits(): GeneratorAdmission;

  /**
   * Runs one generation. Aborting `signal` asks it to stop between two steps: the iterable then ends with
   * `finished` and the text so far. Leaving the iterable early does the same.
   *
   * @throws CodedError `generation_failed`, `model_unavailable`, `overloaded` or `shutting_down`.
   */
  generate(request: GenerationRequest, signal: AbortSignal): AsyncIterable<GenerationEvent>;
}

export type GeneratorAdmission =
  | { readonly ok: true }
  | {
      readonly ok: false;
      readonly code: 'overloaded' | 'model_unavailable' | 'shutting_down';
      readonly message: string;
      readonly retryAfterMs: number;
    };

export interface GenerationRequest {
  readonly generationId: string;
  readonly prompt: readonly PromptSegment[];
  /** How many completions to make and rank. */
  readonly candidates: number;
  readonly tokensMax: number;
  /** See EngineRequest. */
  readonly tokensSoftMax?: number;
  readonly stop: readonly string[];
  readonly sampling: SamplingParams;
}

export type GenerationEvent =
  | { readonly kind: 'started'; readonly promptTokens: number; readonly candidates: number }
  /** Further text of the shown candidate. */
  | { readonly kind: 'text'; readonly text: string }
  | { readonly kind: 'finished'; readonly shown: number; readonly candidates: readonly Candidate[] };
