/** Graphs in which one row of a batch changes the others, as the Hub's quantised ones are. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { layoutExport } from '../../../models/graphs/layout-export.ts';
import { llama } from '../../../models/graphs/llama.ts';
import { bytesOf } from '../../../models/onnx/graph.ts';
import { GraphBuilder, MICROSOFT } from '../../../models/onnx/graph-builder.ts';
import { writeOnnxModel } from '../../../models/onnx/writer.ts';
import { randomCheckpoint } from '../../../models/tiny/random-llama.ts';
import { fp32 } from '../../../models/weights/fp32.ts';
import type { WeightFormat } from '../../../models/weights/weight-format.ts';
import { HostCache } from '../../../src/onnx/export-cache.ts';
import { ExportRunner } from '../../../src/onnx/export-runner.ts';
import { openSession } from '../../../src/onnx/session.ts';

const ZERO_POINT = 128;

/** 8 bits with one scale for all activations of a run. */
const dynamic: WeightFormat = {
  name: 'dynamic',
  embedding: fp32.embedding,
  linear(graph, x, { matrix }) {
    const { name, rows, columns } = matrix;
    const scale = 1 / 64;
    const codes = graph.initializer({
      name: `${name}.codes`,
      type: 'uint8',
      dims: [columns, rows],
      async *chunks() {
        const values = await matrix.readRows(0, rows);
        yield Uint8Array.from({ length: rows * columns }, (_, at) => {
          const [column, row] = [Math.floor(at / rows), at % rows];
          return (
            ZERO_POINT + Math.max(-127, Math.min(127, Math.round(values[row * columns + column]! / scale)))
          );
        });
      },
    });
    const constant = (title: string, type: 'float32' | 'uint8', bytes: Uint8Array) =>
      graph.initializer({ name: `dynamic.${title}`, type, dims: [], chunks: () => [bytes] });
    const inputs = [
      x,
      codes,
      constant('scale', 'float32', bytesOf(Float32Array.of(scale))),
      constant('zero', 'uint8', Uint8Array.of(ZERO_POINT)),
    ];
    return graph.node('DynamicQuantizeMatMul', inputs, { domain: MICROSOFT });
  },
};

let directory: string;
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'amity-dynamic-'));
});
afterAll(() => rm(directory, { recursive: true, force: true }));

it('are found out, and then each reply is computed by itself', async () => {
  await using checkpoint = randomCheckpoint(1);
  const { tensors, config } = checkpoint;
  const model = llama.plan(config, { contextTokensMax: 200 });
  const graph = new GraphBuilder();
  model.build({ graph, layout: layoutExport, weights: dynamic, tensors, fullLogits: false });
  const path = join(directory, 'model.onnx');
  await writeOnnxModel(graph.finish('dynamic'), { path, onTensor: () => {} });
  const { shape } = model;
  const options = { shape, topK: 8, slots: 3, positions: 60 };
  const session = await openSession(path, { threads: 1 });
  await using runner = new ExportRunner(session, new HostCache(shape), options);

  const prompt = Int32Array.from({ length: 20 }, (_, i) => 5 + 3 * i);
  await runner.prefill({ slot: 0, position: 0, tokens: prompt, wantsLogits: false });
  const rows = [30, 90, 150].map((token, slot) => ({
    slot,
    position: 0,
    token,
    prompt: { slot: 0, length: prompt.length },
  }));
  const alone = await runner.decode([{ ...rows[1]!, slot: 0 }]);
  const mixed = await runner.decode(rows);
  expect(mixed[1]).not.toEqual(alone[0]);

  expect(await runner.warmUp()).toEqual([expect.stringContaining('one by one')]);
  expect((await runner.decode(rows))[1]).toEqual(alone[0]);
});
