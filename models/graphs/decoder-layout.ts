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

/** What a layer makes of its input for attention. Each function adds to the graph; a layout calls those that it wants. */
export interface Projection {
  /** [B, S, (heads + 2 * kvHeads) * headSize]: queries, keys and values by one product. */
  together(): string;
  /** The three by themselves, as the checkpoint has them; null where it has them together. */
  readonly apart: (() => readonly [query: string, key: string, value: string]) | null;
  /** Turns [B, S, any number of heads * headSize] by their positions; null where positions are learned. */
  readonly rotate: ((heads: string) => string) | null;
}

/** One decoder in the making. Layers call `attention` in ascending order, then the family calls `finish` once. */
export interface OpenDecoder {
  /** int64 [B, S] */
  readonly inputIds: string;
  /** int64 [B, S] */
  readonly positionIds: string;
  /** -> [B, S, heads * headSize] */
  attention(layer: number, projection: Projection): string;
  /**
   * hidden [B, S, hiddenSize]: the normalised output of the last layer; `project` turns rows
   * [N, hiddenSize] of it into logits [N, vocabSize].
   */
  finish(hidden: string, options: { project: (rows: string) => string; fullLogits: boolean }): void;
}
