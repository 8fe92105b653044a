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
  /** Which completions are made, and which of them is shown. */
  readonly selection: Selection;
  readonly tokensMax: number;
  /** From this many tokens on a reply ends with the sentence it is in, so that few are cut off in the middle of one. */
  readonly tokensSoftMax?: number;
  /** A reply ends before the first of these; none of it is shown. */
  readonly stop: readonly string[];
  readonly sampling: SamplingParams;
  /**
   * Reply text that was shown by an earlier run that broke off; its tokens are the end of `prompt`. Texts of this run
   * continue it and do not repeat it; the texts of candidates begin with it.
   */
  readonly written?: string;
  /** Whether, and by whom, the beginning of the prompt may be found again; nothing of it is kept without. */
  readonly reuse?: PromptReuse;
}

export interface PromptReuse {
  /** Whose text it is: only requests of the same scope find it. Those who wait take turns by it, too: see scheduler.ts. */
  readonly scope: string;
  /** So many tokens at the beginning are nobody's text (persona, template): everybody finds them. */
  readonly publicTokens: number;
}

export type Selection =
  /** Every completion is shown, to its own end: what an OpenAI-compatible client asks for with `n`. */
  | { readonly kind: 'all'; readonly candidates: number }
  /** Completions compete and one is shown. The plan is asked for at the start, since it follows the load. */
  | { readonly kind: 'race'; readonly plan: () => RacePlan; readonly judge: Judge };

/** How the candidates of one request compete. */
export interface RacePlan {
  /** Load level 0-3 that the plan follows; for the record. */
  readonly level: number;
  /** Sequences that start. */
  readonly candidates: number;
  /** By ascending `tokens`: when a candidate that still writes has that many, only the best `keep` go on. */
  readonly checkpoints: readonly { readonly tokens: number; readonly keep: number }[];
  /** Tokens after which one is committed and streams; 0: at once; null: when all have ended. */
  readonly commitTokens: number | null;
  /** Commits at a checkpoint already when the best leads the second by at least this, in units of the score. */
  readonly leadToCommit: number;
  /** With `probability` the committed one is drawn from the softmax over the scores divided by `temperature`. */
  readonly exploration: { readonly probability: number; readonly temperature: number };
  /** Whether the second best is written to its end too, at the lowest priority. */
  readonly runnerUp: boolean;
}

/** A candidate as it stands when it is judged. */
export interface Contender {
  readonly index: number;
  /** What may be shown of it so far. */
  readonly text: string;
  readonly tokens: number;
  /** Sum of the natural-log probabilities of its tokens under the untempered model. */
  readonly logProb: number;
  /** Whether it has come to its own end. */
  readonly isEnded: boolean;
}

export interface Verdict {
  /** Higher is better; comparable within one call. Finite. */
  readonly score: number;
  /** Values of the features behind the score, by name. */
  readonly features: Readonly<Record<string, number>>;
  /** Why it must not be shown, or null. */
  readonly filterReason: string | null;
}

/** Judges the candidates of one request; pure. @returns a verdict each, in the order of `contenders`. */
export type Judge = (contenders: readonly Contender[]) => readonly Verdict[];

/** `dropped`: lost the race, or gave way to others; its text is a beginning. */
export type CandidateEnd = 'stop' | 'length' | 'cancelled' | 'dropped';

/** One completion, as it is when the request has finished. */
export interface Candidate {
  readonly index: number;
  readonly text: string;
  /** Generated tokens, the end token included. */
  readonly tokens: number;
  readonly finishReason: CandidateEnd;
  /** Sum of the natural-log probabilities of its tokens under the untempered model. */
  readonly logProb: number;
  /** The judge's last word on it; null where nobody judged. */
  readonly verdict: Verdict | null;
}

/** How a race went: enough to learn from it which choice would have been better. */
export interface RaceRecord {
  readonly level: number;
  /** Sequences that started. */
  readonly candidates: number;
  /** Each time the candidates were judged, the commit included; by ascending tokens. */
  readonly checkpoints: readonly RaceCheckpoint[];
  /** Null when nobody was committed: all were filtered, or it was cancelled before. */
  readonly commit: RaceCommit | null;
}

export interface RaceCheckpoint {
  /** Tokens of the longest candidate at that moment. */
  readonly tokens: number;
  readonly alive: readonly {
    readonly index: number;
    readonly score: number;
    readonly filterReason: string | null;
  }[];
  /** Indexes of those that went on. */
  readonly kept: readonly number[];
}

export interface RaceCommit {
  readonly index: number;
  readonly tokens: number;
  /** Whether it was drawn by exploration (which may draw the best too). */
  readonly isExplored: boolean;
  /** Probability with which this one is committed given the set and the scores of the last checkpoint. */
  readonly propensity: number;
}

export type EngineEvent =
  | {
      readonly kind: 'started';
      readonly id: string;
      readonly promptTokens: number;
      readonly candidates: number;
      /** Level of the race plan; null without a race. */
      readonly level: number | null;
    }
  /** Further text of a candidate that is shown; concatenated they are its final text (behind `written`). */
  | { readonly kind: 'text'; readonly id: string; readonly index: number; readonly text: string }
  | {
      readonly kind: 'finished';
      readonly id: string;
      /** Index of the candidate that was shown; null when none may be, and where all are. */
      readonly shown: number | null;
      readonly candidates: readonly Candidate[];
      readonly race: RaceRecord | null;
      /** Whether the runner-up still writes: exactly one `alternative` follows. */
      readonly hasMore: boolean;
    }
  /** After `finished`: the runner-up has come to its end; null when it was dropped or failed. */
  | { readonly kind: 'alternative'; readonly id: string; readonly candidate: Candidate | null }
  | { readonly kind: 'failed'; readonly id: string; readonly message: string };

/** Outcome of `submit`; everything but 'accepted' leaves no trace in the engine. */
export type Admission = 'accepted' | 'queue_full' | 'prompt_too_long' | 'unsupported_sampling';
