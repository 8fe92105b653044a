import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { countingNext } from '../../../models/tiny/counting.ts';
import { openPlainForward } from '../../support/plain-forward.ts';
import { makeTinyModel, type TinyModelOptions } from '../../support/tiny-model.ts';

let scratch: string;
beforeAll(async () => {
  scratch = await mkdtemp(join(tmpdir(), 'amity-tiny-'));
});
afterAll(() => rm(scratch, { recursive: true, force: true }));

async function make(options: TinyModelOptions) {
  const directory = await mkdtemp(join(scratch, 'model-'));
  return { directory, manifest: await makeTinyModel(directory, options) };
}

describe.each(['nb8', 'fp32'] as const)('the counting model with %s weights', (weights) => {
  it.each([false, true])(
    'follows its rule after every token, whatever came before (endless: %s)',
    async (endless) => {
      const { directory, manifest } = await make({ kind: 'counting', weights, endless });
      await using forward = await openPlainForward(directory, manifest);
      const ids = Array.from(
        { length: manifest.shape.vocabSize },
        (_, id) => (id * 101) % manifest.shape.vocabSize,
      );
      const { topIds, topValues } = await forward.run(ids);
      for (const [row, id] of ids.entries()) {
        expect(Number(topIds[row * manifest.topK])).toBe(countingNext(id, endless));
        const gap = topValues[row * manifest.topK]! - topValues[row * manifest.topK + 1]!;
        expect(gap).toBeGreaterThan(30);
      }
    },
  );
});

describe('the random model', () => {
  it('lets the first token change what follows many tokens later', async () => {
    const { directory, manifest } = await make({ kind: 'random', fullLogits: true });
    await using forward = await openPlainForward(directory, manifest);
    const text = [...Buffer.from('the whole past counts, not only its end')];
    const { vocabSize } = manifest.shape;
    const last = (logits: Float32Array | null) => logits!.subarray((text.length - 1) * vocabSize);
    const one = last((await forward.run(text)).logits);
    const other = last((await forward.run([...Buffer.from('T'), ...text.slice(1)])).logits);
    const difference = Math.max(...one.map((value, id) => Math.abs(value - other[id]!)));
    expect(difference).toBeGreaterThan(0.1);
  });

  it('is the same byte for byte when it is made again, and another with another seed', async () => {
    const [one, again, other] = await Promise.all([
      make({ kind: 'random' }),
      make({ kind: 'random' }),
      make({ kind: 'random', seed: 2 }),
    ]);
    expect(again.manifest).toEqual(one.manifest);
    expect(other.manifest.files.data?.sha256).not.toBe(one.manifest.files.data?.sha256);
  });
});
