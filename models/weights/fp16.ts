import { bytesOf } from '../onnx/graph.ts';
import type { GraphBuilder } from '../onnx/graph-builder.ts';
import { elementTypes } from '../onnx/schema.ts';
import { toHalf } from './half.ts';
import { type Matrix, readChunks } from './matrix.ts';
import type { WeightFormat } from './weight-format.ts';

/**
 * Half precision, for GPUs: products are computed in it, everything else in float32. Processors have no kernels for it; there the runtime
 * computes in float32, and the file is merely half as large.
 */
export const fp16: WeightFormat = {
  name: 'fp16',

  linear(graph, x, { matrix, bias }) {
    // Turned round once, when the runtime loads the graph: a constant.
    const weights = graph.node('Transpose', [table(graph, matrix)], {
      attributes: { perm: { ints: [1, 0] } },
    });
    const product = cast(graph, graph.node('MatMul', [cast(graph, x, 'float16'), weights]), 'float32');
    return bias === undefined ? product : graph.node('Add', [product, bias]);
  },

  embedding: (graph, ids, matrix) =>
    cast(graph, graph.node('Gather', [table(graph, matrix), ids]), 'float32'),
};

function cast(graph: GraphBuilder, value: string, to: 'float16' | 'float32'): string {
  return graph.node('Cast', [value], { attributes: { to: { int: elementTypes[to] } } });
}

function table(graph: GraphBuilder, matrix: Matrix): string {
  return graph.initializer({
    name: matrix.name,
    type: 'float16',
    dims: [matrix.rows, matrix.columns],
    async *chunks() {
      for await (const chunk of readChunks(matrix)) yield bytesOf(toHalf(chunk));
    },
  });
}
