/** What the engine is asked for, and what it answers. Plain data: it crosses the thread border unchanged. */

export interface SamplingParams {
  /** 0 = always the most likely token. */
  readonly temperature: number;
  readonly topK: number;
  /** Nucleus: the smallest set of most likely tokens whose probability reaches this. 1 = off. */
  readonly topP: number;
  /** Logits of tokens already written are divided (positive) or multiplied (negative) by it. 1 = off. */
  readonly repetitionPenalty: number;
  /** Unsigned 32-bit. The text is a pure function of (prompt, params, candidate index). */
  readonly seed: number;
}

export interface EngineRequest {
  readonly id: string;
  readonly prompt: Int32Array;
  /** How many completions to make; each is one sequence. */
  readonly candidates: number;
  readonly tokensMax: number;
  /** From this many tokens on a reply ends with the sentence it is in, so that few are cut off in the middle of one. */
  readonly tokensSoftMax?: number;
  /** A reply ends before the first of these; none of it is shown. */
  readonly stop: readonly string[];
  readonly sampling: SamplingParams;
}

export type CandidateEnd = 'stop' | 'length' | 'cancelled';

/** One finished completion. */
export interface Candidate {
  readonly index: number;
  readonly text: string;
  /** Generated tokens, the end token included. */
  readonly tokens: number;
  readonly finishReason: CandidateEnd;
  /** Sum of the natural-log probabilities of its tokens under the untempered model. */
  readonly logProb: number;
}

export type EngineEvent =
  | {
      readonly kind: 'started';
      readonly id: string;
      readonly promptTokens: number;
      readonly candidates: number;
    }
  /** Further text of the candidate that is shown; concatenated they are its final text. */
  | { readonly kind: 'text'; readonly id: string; readonly text: string }
  | {
      readonly kind: 'finished';
      readonly id: string;
      /** Index of the candidate that was shown. */
      readonly shown: number;
      readonly candidates: readonly Candidate[];
    }
  | { readonly kind: 'failed'; readonly id: string; readonly message: string };

/** Outcome of `submit`; everything but 'accepted' leaves no trace in the engine. */
export type Admission = 'accepted' | 'queue_full' | 'prompt_too_long' | 'unsupported_sampling';
