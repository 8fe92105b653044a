/**
 * A trained model as somebody published it, whatever the file format. Tensor names, their [rows, columns]
 * order and the configuration are those of a Hugging Face folder; other formats are translated to them.
 */
export interface Checkpoint extends AsyncDisposable {
  /** The contents of config.json. */
  readonly config: Readonly<Record<string, unknown>>;
  readonly tensors: TensorSource;
  readonly text: CheckpointText;
}

export interface TensorSource {
  has(name: string): boolean;
  /** @throws when there is no such tensor. */
  dims(name: string): readonly number[];
  /** Part of a tensor along its first axis, as float32: rows `from` (included) to `to` (excluded). */
  readRows(name: string, range: { from: number; to: number }): Promise<Float32Array>;
}

/** How the model reads and writes text. */
export interface CheckpointText {
  /** The contents of tokenizer.json, for `@huggingface/tokenizers`. */
  readonly tokenizer: Readonly<Record<string, unknown>>;
  /** Contents of tokenizer_config.json; the tokenizer library wants both. */
  readonly tokenizerConfig: Readonly<Record<string, unknown>>;
  /** Jinja; null where the checkpoint has none. */
  readonly chatTemplate: string | null;
  readonly tokens: SpecialTokens;
}

export interface SpecialTokens {
  /** Generation ends at each of these. */
  readonly eos: readonly number[];
  readonly bos: number | null;
  readonly pad: number | null;
}
