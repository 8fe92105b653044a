/**
 * The border between the engine and whatever runs the network. The engine decides which sequences
 * advance and keeps their lengths; the runner owns the key/value cache and knows how it is laid out.
 */

/**
 * The next piece of a prompt.
 *
 * The cache of the prompt in `slot` already holds `position` tokens; `tokens` are appended from there on. Writing past the
 * committed length is harmless: the engine alone decides what counts, so a failed pass needs no undo.
 */
export interface PrefillRow {
  /** One of the slots of prompts. */
  readonly slot: number;
  readonly position: number;
  readonly tokens: Int32Array;
  /** Whether the logits after the last of `tokens` are wanted (false for all but the last piece of a prompt). */
  readonly wantsLogits: boolean;
}

/** The next token of one reply. What is said above of writing past the committed length is true of it too. */
export interface DecodeRow {
  /** One of the slots of replies. */
  readonly slot: number;
  /** Tokens of the reply that its slot holds. */
  readonly position: number;
  readonly token: number;
  /** The prompt that it continues, and how many tokens that has. Rows may share one. */
  readonly prompt: { readonly slot: number; readonly length: number };
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
  /** Replies that can be held at once, and as many prompts. */
  readonly slots: number;
  /** Tokens of a prompt and its reply together. */
  readonly positions: number;
  /** Candidates per distribution; a larger `topK` cannot be sampled. */
  readonly topK: number;
  /** Pieces of prompts that can be kept outside the slots. */
  readonly blocks: number;
  /** Tokens of such a piece. */
  readonly blockTokens: number;
}

/**
 * A prompt is held once, however many replies continue it; a reply holds its own tokens only. So a prompt is forked by
 * naming it.
 *
 * A slot that takes part in none of 64 passes in a row may be forgotten; continuing it then throws.
 */
export interface ModelRunner extends AsyncDisposable {
  readonly limits: RunnerLimits;

  /**
   * Appends a piece to a prompt. It runs alone, so that what a prompt yields never depends on its neighbours.
   *
   * @returns null where no logits were wanted.
   * @throws when the runtime fails; the slot then does not count as advanced.
   */
  prefill(row: PrefillRow): Promise<RowLogits | null>;

  /**
   * Runs one token of each reply as one batch. Row i is in the reply slot i, and the prompts are in the prompt slots 0..m-1.
   *
   * @returns one entry per row, in order.
   * @throws when the runtime fails; no slot then counts as advanced.
   */
  decode(rows: readonly DecodeRow[]): Promise<readonly RowLogits[]>;

  /** Makes one reply slot hold the first `length` positions of another (to close a gap). */
  copyReply(from: number, to: number, length: number): void;

  /** The same for prompts. */
  copyPrompt(from: number, to: number, length: number): void;

  /** Keeps the positions from `position` on of a prompt, as many as a block has, under the number `block`; what was there is gone. */
  saveBlock(block: number, from: { readonly slot: number; readonly position: number }): void;

  /** Makes a prompt slot hold these blocks, one behind the other from its first position on. Same numbers, to the last bit. */
  loadBlocks(slot: number, blocks: readonly number[]): void;

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
