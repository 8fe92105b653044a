/**
 * The names and shapes that `models/convert` writes and `OnnxRunner` feeds: graph layout D3 ("past read-only").
 * The past is an input that the graph never returns, so no step copies the cache; only the keys and
 * values of the new tokens come back, and the runner writes them into its own buffers.
 *
 * B = rows, S = new tokens a row, M = cached positions a row (padded), L = layers, H = key/value heads,
 * D = head size, N = rows that want logits, V = vocabulary.
 */
export const GRAPH_LAYOUT = 'd3';

/** Logits kept per row; sampling can not look further than this. */
export const GRAPH_TOP_K = 50;

export const graphInputs = {
  /** int64 [B, S] */
  inputIds: 'input_ids',
  /** int64 [B, S] */
  positionIds: 'position_ids',
  /**
   * float32 [B, 1, 1, S, S + M], added to the attention scores: 0 = visible, a large negative number = not.
   * The new tokens come first, then the past: a row's terms then keep their place in every sum whatever M
   * is, which is what makes batched output equal isolated output to the last bit.
   */
  bias: 'bias',
  /** int64 [N]: indices into the flattened [B * S] rows. */
  logitRows: 'logit_rows',
  /** int64 [N]: the token whose log-probability `targetLogProb` returns (0 where nobody asks). */
  targetIds: 'target_ids',
  /** float32 [B, H, D, M]: keys transposed, as the score kernel reads them. */
  pastKey: (layer: number) => `past_key_values.${layer}.key`,
  /** float32 [B, H, M, D] */
  pastValue: (layer: number) => `past_key_values.${layer}.value`,
} as const;

export const graphOutputs = {
  /** float32 [N, GRAPH_TOP_K], highest first */
  topValues: 'top_values',
  /** int64 [N, GRAPH_TOP_K] */
  topIds: 'top_ids',
  /** float32 [N] */
  logSumExp: 'log_sum_exp',
  /** float32 [N] */
  targetLogProb: 'target_log_prob',
  /** float32 [B, S, L * 2 * H * D]: for each layer its keys [H, D], then its values [H, D] */
  newKv: 'new_kv',
  /** float32 [N, V]: only in graphs made with full logits, for tests */
  logits: 'logits',
} as const;
