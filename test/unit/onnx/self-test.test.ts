/** The self-test passes on the pinned runtime, and notices each of the behaviours that it is there for. */
import { join } from 'node:path';
import { type InferenceSession, Tensor } from 'onnxruntime-node';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { graphInputs, graphOutputs } from '../../../src/onnx/graph-contract.ts';
import { type Manifest, readManifest } from '../../../src/onnx/manifest.ts';
import { verifyRuntime } from '../../../src/onnx/self-test.ts';
import { openSession } from '../../../src/onnx/session.ts';
import { makeTinyDirectory, type TinyDirectory } from '../../support/tiny-runner.ts';

type Values = InferenceSession.OnnxValueMapType;

let directory: TinyDirectory;
let session: InferenceSession;
let shape: Manifest['shape'];
beforeAll(async () => {
  directory = await makeTinyDirectory({ kind: 'random' });
  const { files, ...manifest } = await readManifest(directory.path);
  shape = manifest.shape;
  session = await openSession(join(directory.path, files.graph.path), { threads: 1 });
});
afterAll(async () => {
  await session.release();
  await directory[Symbol.asyncDispose]();
});

test('the runtime behaves', async () => {
  await expect(verifyRuntime(session, shape)).resolves.toEqual([]);
});

test.each<[string, RegExp, Disturb]>([
  [
    'writes into its inputs',
    /writes into its inputs/,
    (feeds, results) => {
      floats(feeds[graphInputs.promptKey(0)])[0] = 7;
      return results;
    },
  ],
  ['reuses its outputs', /reuses its outputs/, shared()],
])('a runtime that %s is refused', async (_, message, disturb) => {
  await expect(verifyRuntime(disturbedBy(disturb), shape)).rejects.toThrow(message);
});

test('a runtime that computes a row of a batch in another way is taken, with a note', async () => {
  const disturbed = disturbedBy((_, results, run) => {
    const values = floats(results[graphOutputs.topValues]);
    if (run === 0) values.set(values.map((value) => value * (1 + 1e-7)));
    return results;
  });
  expect(await verifyRuntime(disturbed, shape)).toEqual([
    expect.stringContaining('differs in its last bits'),
  ]);
});

type Disturb = (feeds: Values, results: Values, run: number) => Values;

function disturbedBy(disturb: Disturb): InferenceSession {
  let runs = 0;
  return {
    run: async (feeds: Values) => disturb(feeds, await session.run(feeds as Record<string, Tensor>), runs++),
  } as unknown as InferenceSession;
}

/** Hands out the same memory for every run. */
function shared(): (feeds: Values, results: Values) => Values {
  const memory = new Float32Array(4096);
  return (_, results) => {
    const { dims, data } = results[graphOutputs.newKv] as Tensor;
    memory.set(data as Float32Array);
    return {
      ...results,
      [graphOutputs.newKv]: new Tensor('float32', memory.subarray(0, (data as Float32Array).length), dims),
    };
  };
}

function floats(value: unknown): Float32Array {
  return (value as Tensor).data as Float32Array;
}
