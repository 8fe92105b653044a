import type { GraphBuilder } from '../onnx/graph-builder.ts';

/** The sizes of a decoder that decide its inputs and outputs. */
export interface DecoderShape {
  readonly layers: number;
  /** Query heads. */
  readonly heads: number;
  /** Key/value heads; each serves heads / kvHeads query heads. */
  readonly kvHeads: number;
  readonly headSize: number;
  readonly hiddenSize: number;
  readonly vocabSize: number;
  /** Positions the graph can place. */
  readonly contextTokensMax: number;
}

/** What surrounds a family's layers: inputs, attention over the past, and what is returned. */
export interface DecoderLayout {
  readonly name: string;
  begin(graph: GraphBuilder, shape: DecoderShape): OpenDecoder;
}

/** One decoder in the making. Layers call `attention` in ascending order, then the family calls `finish` once. */
export interface OpenDecoder {
  /** int64 [B, S] */
  readonly inputIds: string;
  /** int64 [B, S] */
  readonly positionIds: string;
  /**
   * projected [B, S, (heads + 2 * kvHeads) * headSize]: queries, keys, values -> [B, S, heads * headSize].
   * `rotate` turns [B, S, any number of heads * headSize] by their positions; null where positions are learned.
   */
  attention(layer: number, value: { projected: string; rotate: ((heads: string) => string) | null }): string;
  /**
   * hidden [B, S, hiddenSize]: the normalised output of the last layer; `project` turns rows
   * [N, hiddenSize] of it into logits [N, vocabSize].
   */
  finish(hidden: string, options: { project: (rows: string) => string; fullLogits: boolean }): void;
}
