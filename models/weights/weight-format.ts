import type { GraphBuilder } from '../onnx/graph-builder.ts';
import type { Matrix } from './matrix.ts';

/** How matrices are stored and multiplied. Vectors (norms, biases) are float32 in every format. */
export interface WeightFormat {
  readonly name: string;
  /** x [..., columns] -> x W^T (+ bias) [..., rows] */
  linear(graph: GraphBuilder, x: string, weights: { matrix: Matrix; bias?: string }): string;
  /** ids [...] -> rows of the matrix [..., columns]; shares its bytes with `linear` on the same matrix. */
  embedding(graph: GraphBuilder, ids: string, matrix: Matrix): string;
}
