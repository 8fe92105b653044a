/**
 * The names and shapes of decoders as exporters write them, and as the Hugging Face Hub has them (`onnx/model*.onnx`): the
 * whole cache goes in and comes out in each run.
 *
 * B = rows, S = new tokens a row, P = cached positions, T = P + S, H = key/value heads, D = head size, N = positions with logits,
 * V = vocabulary.
 */
export const EXPORT_LAYOUT = 'export';

export const exportInputs = {
  /** int64 [B, S] */
  inputIds: 'input_ids',
  /** int64 [B, T]: 1 = visible, 0 = not. */
  attentionMask: 'attention_mask',
  /** int64 [B, S]; older exports count positions themselves and have no such input. */
  positionIds: 'position_ids',
  /** int64, a scalar: logits of so many of the last tokens alone, 0 = of all. Some exports have it. */
  logitsToKeep: 'num_logits_to_keep',
  /** [B, H, P, D] */
  pastKey: (layer: number) => `past_key_values.${layer}.key`,
  /** [B, H, P, D] */
  pastValue: (layer: number) => `past_key_values.${layer}.value`,
} as const;

export const exportOutputs = {
  /** [B, N, V] */
  logits: 'logits',
  /** [B, H, T, D] */
  presentKey: (layer: number) => `present.${layer}.key`,
  /** [B, H, T, D] */
  presentValue: (layer: number) => `present.${layer}.value`,
} as const;

/**
 * A graph beside the decoder: it takes a whole cache (the decoder's `past_key_values`) and returns some of its rows, cut to a length, as the
 * decoder's `present`. For caches that stay on a GPU.
 */
export const regroupInputs = {
  /** int64 [N] */
  rows: 'rows',
  /** int64 [1] */
  length: 'length',
} as const;
