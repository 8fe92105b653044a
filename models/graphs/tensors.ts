/** Reading what a family needs from a checkpoint, each with its shape checked first. */
import type { TensorSource } from '../checkpoints/checkpoint.ts';
import { bytesOf } from '../onnx/graph.ts';
import type { GraphBuilder } from '../onnx/graph-builder.ts';
import type { Matrix } from '../weights/matrix.ts';

interface Sources {
  readonly graph: GraphBuilder;
  readonly tensors: TensorSource;
}

/** Weights as most checkpoints hold them: rows = outputs. */
export function matrix(tensors: TensorSource, name: string, size: { rows: number; columns: number }): Matrix {
  checkDims(tensors, name, [size.rows, size.columns]);
  return { name, ...size, readRows: (from, to) => tensors.readRows(name, { from, to }) };
}

/**
 * Weights that the checkpoint holds the other way round: rows = inputs. All of the tensor is read for each piece, of which there are a
 * few; kept is the piece alone.
 */
export function transposedMatrix(
  tensors: TensorSource,
  name: string,
  { rows, columns }: { rows: number; columns: number },
): Matrix {
  checkDims(tensors, name, [columns, rows]);
  return {
    name,
    rows,
    columns,
    async readRows(from, to) {
      const stored = await tensors.readRows(name, { from: 0, to: columns });
      const result = new Float32Array((to - from) * columns);
      for (let row = from; row < to; row++) {
        for (let column = 0; column < columns; column++) {
          result[(row - from) * columns + column] = stored[column * rows + row] ?? 0;
        }
      }
      return result;
    },
  };
}

/** A vector as a constant of the graph, in float32 whatever the weights are. */
export function vector({ graph, tensors }: Sources, name: string, length: number): string {
  return stackVectors({ graph, tensors }, name, [{ name, length }]);
}

/** Vectors one behind the other, as one constant. */
export function stackVectors(
  { graph, tensors }: Sources,
  name: string,
  parts: readonly { readonly name: string; readonly length: number }[],
): string {
  for (const part of parts) checkDims(tensors, part.name, [part.length]);
  return graph.initializer({
    name,
    type: 'float32',
    dims: [parts.reduce((sum, { length }) => sum + length, 0)],
    async *chunks() {
      for (const part of parts)
        yield bytesOf(await tensors.readRows(part.name, { from: 0, to: part.length }));
    },
  });
}

function checkDims(tensors: TensorSource, name: string, wanted: readonly number[]): void {
  if (!tensors.has(name)) throw new Error(`The checkpoint has no tensor ${name}`);
  const found = tensors.dims(name);
  if (found.join() !== wanted.join()) {
    throw new Error(`Tensor ${name} has the shape [${found}], its configuration says [${wanted}]`);
  }
}
