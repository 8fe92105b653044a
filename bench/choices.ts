/**
 * Two sizes that were chosen by what they cost: the blocks of the 8-bit weights, and the pieces in which prompts are read.
 *
 *     npm run bench -- choices [--rounds 60] [--threads 2]
 *
 * Blocks: MatMulNBits alone on the shapes of the default model, random weights, all sizes in turn; the lower quartile, since a shared machine
 * only ever adds time. Pieces: a prompt of 512 tokens on the default model, cut every 64 and every 128 tokens, in turn; medians.
 */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { type InferenceSession, Tensor } from 'onnxruntime-node';
import { bytesOf } from '../models/onnx/graph.ts';
import { GraphBuilder, MICROSOFT } from '../models/onnx/graph-builder.ts';
import { writeOnnxModel } from '../models/onnx/writer.ts';
import { openModel } from '../src/onnx/open-model.ts';
import { openRunner } from '../src/onnx/open-runner.ts';
import { openSession } from '../src/onnx/session.ts';
import { describeMachine } from './machine.ts';

const { values } = parseArgs({
  options: {
    rounds: { type: 'string', default: '60' },
    threads: { type: 'string', default: '2' },
  },
});
const rounds = Number(values.rounds);
const threads = Number(values.threads);
const blockSizes = [32, 64] as const;
const pieceSizes = [64, 128] as const;
const shapes = [
  { columns: 576, rows: 960 },
  { columns: 576, rows: 576 },
  { columns: 576, rows: 3072 },
  { columns: 1536, rows: 576 },
  { columns: 576, rows: 49_152 },
] as const;
const batches = [1, 20, 128] as const;

const sorted = (numbers: readonly number[]) => [...numbers].sort((a, b) => a - b);
const at = (numbers: readonly number[], share: number) =>
  Math.round(1000 * (sorted(numbers)[Math.floor(share * numbers.length)] ?? Number.NaN)) / 1000;

const blocks = await measureBlocks();
const pieces = await measurePieces();
const result = { ...describeMachine(), threads, rounds, blocks, pieces };
await writeFile(new URL('./results/choices.json', import.meta.url), `${JSON.stringify(result, null, 2)}\n`);
console.table(blocks);
console.table(pieces);

async function measureBlocks() {
  const directory = await mkdtemp(join(tmpdir(), 'amity-choices-'));
  const found: Record<string, number | string>[] = [];
  try {
    for (const shape of shapes) {
      const sessions: [number, InferenceSession][] = [];
      for (const block of blockSizes)
        sessions.push([block, await openProduct(join(directory, `${block}.onnx`), shape, block)]);
      for (const batch of batches)
        found.push({ ...shape, batch, ...(await timeProducts(sessions, shape, batch)) });
      for (const [, session] of sessions) await session.release();
    }
  } finally {
    await rm(directory, { recursive: true });
  }
  return found;
}

async function timeProducts(
  sessions: readonly [number, InferenceSession][],
  { columns }: (typeof shapes)[number],
  batch: number,
) {
  const numbers = Float32Array.from({ length: batch * columns }, (_, i) => Math.sin(i));
  const x = new Tensor('float32', numbers, [batch, columns]);
  const times = new Map(sessions.map(([block]) => [block, [] as number[]]));
  for (let round = 0; round < rounds; round++) {
    for (const [block, session] of sessions) {
      const startedAt = performance.now();
      await session.run({ x });
      times.get(block)?.push(performance.now() - startedAt);
    }
  }
  return Object.fromEntries([...times].map(([block, own]) => [`block${block}Ms`, at(own, 0.25)]));
}

/** One product of which only the shape is asked for, so that nothing is copied out. */
async function openProduct(
  path: string,
  { columns, rows }: (typeof shapes)[number],
  block: number,
): Promise<InferenceSession> {
  const graph = new GraphBuilder();
  const perRow = columns / block;
  graph.input({ name: 'x', type: 'float32', dims: ['B', columns] });
  const codes = graph.initializer({
    name: 'codes',
    type: 'uint8',
    dims: [rows, perRow, block],
    chunks: () => [Uint8Array.from({ length: rows * columns }, (_, i) => (i * 7919) & 255)],
  });
  const scales = graph.initializer({
    name: 'scales',
    type: 'float32',
    dims: [rows, perRow],
    chunks: () => [bytesOf(new Float32Array(rows * perRow).fill(0.001))],
  });
  const product = graph.node('MatMulNBits', ['x', codes, scales], {
    domain: MICROSOFT,
    attributes: {
      K: { int: columns },
      N: { int: rows },
      bits: { int: 8 },
      block_size: { int: block },
      accuracy_level: { int: 4 },
    },
  });
  graph.node('Shape', [product], { outputs: ['shape'] });
  graph.output({ name: 'shape', type: 'int64', dims: [2] });
  await writeOnnxModel(graph.finish('product'), { path, onTensor: () => {} });
  return await openSession(path, { threads });
}

async function measurePieces() {
  const directory = fileURLToPath(new URL('../data/models/smollm2-135m-instruct', import.meta.url));
  const { manifest } = await openModel(directory);
  const tokens = Int32Array.from({ length: 512 }, (_, i) => 200 + ((i * 37) % 40_000));
  await using runner = await openRunner({ directory, manifest, threads, slots: 1, positions: 520 });
  const times = new Map(pieceSizes.map((size) => [size as number, [] as number[]]));
  for (let round = 0; round < 9; round++) {
    for (const size of pieceSizes) {
      const startedAt = performance.now();
      for (let position = 0; position < tokens.length; position += size) {
        const piece = tokens.subarray(position, position + size);
        await runner.prefill({
          slot: 0,
          position,
          tokens: piece,
          wantsLogits: position + size === tokens.length,
        });
      }
      times.get(size)?.push(performance.now() - startedAt);
    }
  }
  return [...times].map(([size, own]) => ({ pieceTokens: size, promptMs: at(own, 0.5) }));
}
