/**
 * The names and shapes that `models/convert` writes and `OnnxRunner` feeds: graph layout D5 (prompts shared, heads as lines).
 * The past is an input that the graph never returns, so no step copies the cache; only the keys and values of the new
 * tokens come back, and the runner writes them into its own buffers. The keys and values of a prompt are there once, for all
 * candidates that continue it; each row brings only those of its own reply.
 *
 * B = rows, S = new tokens a row, M = cached positions of a row's reply (padded), R = prompts, P = cached positions of a prompt
 * (padded), C = rows that the largest of the prompts has, L = layers, H = key/value heads, G = query heads to each, D = head
 * size, N = rows that want logits, V = vocabulary.
 */
export const GRAPH_LAYOUT = 'd5';

/** Logits kept per row; sampling can not look further than this. */
export const GRAPH_TOP_K = 50;

export const graphInputs = {
  /** int64 [B, S] */
  inputIds: 'input_ids',
  /** int64 [B, S] */
  positionIds: 'position_ids',
  /**
   * float32 [B, 1, 1, S, W], added to the attention scores: 0 = visible, a large negative number = not.
   * The new tokens come first, then the reply, then W - S - M - P places of room, then the prompt. As long as all before the prompt is a full number of lanes, a row's terms keep
   * their lane and their order in every sum whatever M and P are: what makes batched output equal isolated output to the last bit.
   */
  bias: 'bias',
  /** int64 [N]: indices into the flattened [B * S] rows. */
  logitRows: 'logit_rows',
  /** int64 [N]: the token whose log-probability `targetLogProb` returns (0 where nobody asks). */
  targetIds: 'target_ids',
  /**
   * int64 [R * H, C * G * S]: which of the [B * H * G * S] query lines look at which prompt. A prompt with fewer than C rows repeats
   * any line; nobody reads what comes of it.
   */
  toPrompts: 'to_prompts',
  /** int64 [B * H, G * S]: where each query line stands in [R * H * C * G * S]; the way back. */
  fromPrompts: 'from_prompts',
  /** float32 [B * H, D, M]: keys transposed, as the score kernel reads them. */
  replyKey: (layer: number) => `reply.${layer}.key`,
  /** float32 [B * H, M, D] */
  replyValue: (layer: number) => `reply.${layer}.value`,
  /** float32 [R * H, D, P] */
  promptKey: (layer: number) => `prompt.${layer}.key`,
  /** float32 [R * H, P, D] */
  promptValue: (layer: number) => `prompt.${layer}.value`,
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
  /** float32 [B * H, S, L * 2 * D]: for each layer the key of the head, then its value */
  newKv: 'new_kv',
  /** float32 [N, V]: only in graphs made with full logits, for tests */
  logits: 'logits',
} as const;
