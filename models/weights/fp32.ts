import { bytesOf } from '../onnx/graph.ts';
import { type GraphBuilder, MICROSOFT } from '../onnx/graph-builder.ts';
import { type Matrix, readChunks } from './matrix.ts';
import type { WeightFormat } from './weight-format.ts';

/** float32, as exact as the checkpoint. For tests and as the reference of quality measurements. */
export const fp32: WeightFormat = {
  name: 'fp32',

  linear(graph, x, { matrix, bias }) {
    const product = graph.node('FusedMatMul', [x, table(graph, matrix)], {
      domain: MICROSOFT,
      attributes: { transB: { int: 1 } },
    });
    return bias === undefined ? product : graph.node('Add', [product, bias]);
  },

  embedding: (graph, ids, matrix) => graph.node('Gather', [table(graph, matrix), ids]),
};

function table(graph: GraphBuilder, matrix: Matrix): string {
  return graph.initializer({
    name: matrix.name,
    type: 'float32',
    dims: [matrix.rows, matrix.columns],
    async *chunks() {
      for await (const chunk of readChunks(matrix)) yield bytesOf(chunk);
    },
  });
}
