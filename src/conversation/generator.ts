import type { Candidate, RaceRecord, SamplingParams } from '../engine/request.ts';
import type { LoadLevel } from './load-level.ts';
import type { PromptSegment } from './prompt-segment.ts';

/** Whatever writes replies: the worker pool of this process, later an upstream server or other machines. */
export interface Generator {
  /** Name of the model that answers, as stored with each generation. */
  readonly model: string;

  /** Whether a request would find a place in the queue; asked before a message is stored. Level 5 refuses. */
  admits(): GeneratorAdmission;

  /** The load at this moment. At level 4 replies are canned: whoever asks for a race then should not. */
  level(): LoadLevel;

  /**
   * Resolves when a request would be worked on: at once, but for the time in which the model is loaded.
   *
   * @throws CodedError `model_unavailable` when none will be.
   */
  ready(): Promise<void>;

  /**
   * Runs one generation. Aborting `signal` asks it to stop between two steps: the iterable then ends with
   * `finished` and the text so far. Leaving the iterable early does the same. After a `finished` that has more, the iterable
   * goes on until the runner-up has ended. It may end with `lost` at any moment.
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
  /** Reply text that was shown before, by a run that broke off: it is continued. '' = from the beginning. */
  readonly written: string;
  readonly selection: RequestedSelection;
  readonly tokensMax: number;
  /** See EngineRequest. */
  readonly tokensSoftMax?: number;
  readonly stop: readonly string[];
  readonly sampling: SamplingParams;
  /** Lets a worker find the beginning of the prompt again, for requests of the same scope only; see EngineRequest. */
  readonly reuse?: {
    readonly scope: string;
    /** Segments at the beginning that hold nobody's words. */
    readonly publicSegments: number;
  };
}

export type RequestedSelection =
  /** Candidates race, as many as the load allows, and the best is shown. */
  | { readonly kind: 'race'; readonly context: RankContext }
  | { readonly kind: 'all'; readonly candidates: number };

/** What of the conversation the ranker looks at. Plain data: it crosses the thread border. */
export interface RankContext {
  /** The user's turn that is answered. */
  readonly userTurn: string;
  /** The companion's earlier turns on this branch, newest last. */
  readonly ownTurns: readonly string[];
}

/** As the engine's events: see engine/request.ts. */
export type GenerationEvent =
  | {
      readonly kind: 'started';
      readonly promptTokens: number;
      readonly candidates: number;
      readonly level: number | null;
    }
  | { readonly kind: 'text'; readonly index: number; readonly text: string }
  | {
      readonly kind: 'finished';
      readonly shown: number | null;
      readonly candidates: readonly Candidate[];
      readonly race: RaceRecord | null;
      readonly hasMore: boolean;
    }
  | { readonly kind: 'alternative'; readonly candidate: Candidate | null }
  /** Its worker died, and nothing comes any more. A further request with the text so far as `written` goes on from there. */
  | { readonly kind: 'lost'; readonly reason: string };
