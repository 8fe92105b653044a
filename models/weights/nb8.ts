import { bytesOf } from '../onnx/graph.ts';
import { type GraphBuilder, MICROSOFT } from '../onnx/graph-builder.ts';
import { type Matrix, readChunks } from './matrix.ts';
import type { WeightFormat } from './weight-format.ts';

/** The kernel is fastest with 64 (bench/RESULTS.md); 32 where the columns are no multiple of it. */
const BLOCKS = [64, 32] as const;
const ZERO_POINT = 128;
const CODE_MAX = 127;
/** Keeps the division defined where a whole block is zero. */
const SCALE_MIN = 1e-8;
/** int8 activations. The only level at which a row's result does not depend on the other rows of the batch. */
const ACCURACY_LEVEL = 4;

/** 8-bit codes in blocks of 64 columns, each block with a float32 scale; symmetric, so no zero points are stored. */
export const nb8: WeightFormat = {
  name: 'nb8',

  linear(graph, x, { matrix, bias }) {
    const { codes, scales } = quantised(graph, matrix);
    return graph.node('MatMulNBits', [x, codes, scales, ...(bias === undefined ? [] : ['', '', bias])], {
      domain: MICROSOFT,
      attributes: {
        K: { int: matrix.columns },
        N: { int: matrix.rows },
        bits: { int: 8 },
        block_size: { int: blockOf(matrix) },
        accuracy_level: { int: ACCURACY_LEVEL },
      },
    });
  },

  embedding(graph, ids, matrix) {
    const { codes, scales } = quantised(graph, matrix);
    const flat = graph.node('Reshape', [codes, graph.int64s([matrix.rows, matrix.columns])]);
    return graph.node('GatherBlockQuantized', [flat, ids, scales], {
      domain: MICROSOFT,
      attributes: {
        gather_axis: { int: 0 },
        quantize_axis: { int: 1 },
        block_size: { int: blockOf(matrix) },
        bits: { int: 8 },
      },
    });
  },
};

function quantised(graph: GraphBuilder, matrix: Matrix): { codes: string; scales: string } {
  const { name, rows, columns } = matrix;
  const block = blockOf(matrix);
  const blocks = columns / block;
  // The writer asks for codes, then for scales; both come from one pass over the weights.
  let pending: Float32Array[] = [];
  const codes = graph.initializer({
    name: `${name}.codes`,
    type: 'uint8',
    dims: [rows, blocks, block],
    async *chunks() {
      for await (const chunk of readChunks(matrix)) {
        const part = quantiseBlocks(chunk, block);
        pending.push(part.scales);
        yield part.codes;
      }
    },
  });
  const scales = graph.initializer({
    name: `${name}.scales`,
    type: 'float32',
    dims: [rows, blocks],
    *chunks() {
      const parts = pending;
      pending = [];
      yield* parts.map(bytesOf);
    },
  });
  return { codes, scales };
}

function blockOf({ name, columns }: Matrix): number {
  const block = BLOCKS.find((size) => columns % size === 0);
  if (block !== undefined) return block;
  throw new Error(
    `${name} has ${columns} columns; the weight format nb8 needs a multiple of ${BLOCKS.at(-1)}`,
  );
}

/** Codes and scales of consecutive blocks: value = (code - 128) * scale, the largest of a block becomes 127. */
export function quantiseBlocks(
  values: Float32Array,
  size: number,
): { codes: Uint8Array; scales: Float32Array } {
  const codes = new Uint8Array(values.length);
  const scales = new Float32Array(values.length / size);
  for (let block = 0; block < scales.length; block++) {
    const start = block * size;
    let largest = 0;
    for (let i = start; i < start + size; i++) largest = Math.max(largest, Math.abs(values[i]!));
    const scale = Math.fround(Math.max(largest / CODE_MAX, SCALE_MIN));
    scales[block] = scale;
    for (let i = start; i < start + size; i++) {
      const code = Math.round(values[i]! / scale);
      codes[i] = Math.min(CODE_MAX, Math.max(-CODE_MAX, code)) + ZERO_POINT;
    }
  }
  return { codes, scales };
}
