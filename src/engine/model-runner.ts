/**
 * The border between the engine and whatever runs the network. The engine decides which sequences
 * advance and keeps their lengths; the runner owns the key/value cache and knows how it is laid out.
 */

/**
 * New tokens of one sequence for one forward pass.
 *
 * The cache of `slot` already holds `position` tokens; `tokens` are appended from there on. Writing past
 * the committed length is harmless: the engine alone decides what counts, so a failed pass needs no undo.
 */
export interface ForwardRow {
  readonly slot: number;
  readonly position: number;
  readonly tokens: Int32Array;
  /** Whether the logits after the last of `tokens` are wanted (false for all but the last chunk of a prompt). */
  readonly wantsLogits: boolean;
}

/** The next-token distribution after one row, cut to the `topK` most likely tokens. */
export interface RowLogits {
  /** Logits, highest first; ties in the order of the ids. Length `limits.topK`. */
  readonly values: Float32Array;
  /** Token ids belonging to `values`. */
  readonly ids: Int32Array;
  /** Natural logarithm of the sum of exp(logit) over the whole vocabulary. */
  readonly logSumExp: number;
}

export interface RunnerLimits {
  /** Sequences that can be held at once. */
  readonly slots: number;
  /** Tokens a slot can hold, prompt and reply together. */
  readonly positions: number;
  /** Candidates per distribution; a larger `topK` cannot be sampled. */
  readonly topK: number;
}

export interface ModelRunner extends AsyncDisposable {
  readonly limits: RunnerLimits;

  /**
   * Runs the rows and appends their keys and values to their slots.
   *
   * Rows of exactly one token must be in the slots 0..n-1, in that order: they run as one batch. Longer
   * rows (prompts) run one by one, so that what a prompt yields never depends on its neighbours.
   *
   * A slot that takes part in none of 64 passes in a row may be forgotten; continuing it then throws.
   *
   * @returns one entry per row, in order; null where no logits were wanted.
   * @throws when the runtime fails; no slot then counts as advanced.
   */
  forward(rows: readonly ForwardRow[]): Promise<readonly (RowLogits | null)[]>;

  /** Copies the first `length` positions of a slot over another one (to fork a prompt, to close a gap). */
  copySlot(from: number, to: number, length: number): void;

  /**
   * Teacher forcing, outside any slot: the log-probability (natural logarithm) of each token given all before it.
   *
   * @returns `tokens.length - 1` values; the first token has no predecessor and no value.
   */
  scoreTokens(tokens: Int32Array): Promise<Float64Array>;
}

/** What the engine needs to know about token ids. */
export interface Vocabulary {
  readonly size: number;
  /** The bytes a token stands for; empty for special tokens, which are never text. */
  tokenBytes(id: number): Uint8Array;
  /** Whether the token ends a reply. */
  isEnd(id: number): boolean;
}
