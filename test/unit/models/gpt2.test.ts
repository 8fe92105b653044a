/** What of GPT-2 can vary: names with and without the body's prefix, and configurations that are not built. */
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import type { Checkpoint } from '../../../models/checkpoints/checkpoint.ts';
import { openHuggingFaceFolder } from '../../../models/checkpoints/hugging-face-folder.ts';
import { convertModel } from '../../../models/convert.ts';
import { gpt2 } from '../../../models/graphs/gpt2.ts';

const folder = fileURLToPath(new URL('../../fixtures/gpt2-f32', import.meta.url));

async function dataOf(checkpoint: Checkpoint): Promise<string> {
  const directory = await mkdtemp(join(tmpdir(), 'amity-gpt2-'));
  try {
    const { files } = await convertModel({
      checkpoint,
      directory,
      name: 'gpt2',
      weights: 'nb8',
      source: { kind: 'folder', reference: 'gpt2' },
      licence: null,
      createdAt: new Date(0),
    });
    return files.data?.sha256 ?? '';
  } finally {
    await rm(directory, { recursive: true });
  }
}

test('names with and without "transformer." in front give the same weights', async () => {
  await using checkpoint = await openHuggingFaceFolder(folder);
  const { tensors } = checkpoint;
  expect(tensors.has('transformer.wte.weight')).toBe(true);
  const bare = {
    ...checkpoint,
    tensors: {
      has: (name: string) => tensors.has(`transformer.${name}`),
      dims: (name: string) => tensors.dims(`transformer.${name}`),
      readRows: (name: string, range: { from: number; to: number }) =>
        tensors.readRows(`transformer.${name}`, range),
    },
    [Symbol.asyncDispose]: async () => {},
  };
  expect(await dataOf(bare)).toBe(await dataOf(checkpoint));
});

test.each([
  [{ activation_function: 'relu' }, /activation_function "relu" is not supported for GPT-2/],
  [{ scale_attn_by_inverse_layer_idx: true }, /another scale of attention/],
  [{ tie_word_embeddings: false }, /a head of its own/],
  [{ n_head: 5 }, /5 heads of 64/],
  [{ n_layer: undefined }, /n_layer/],
])('a configuration with %j is refused by name', async (own, message) => {
  const config = JSON.parse(await readFile(join(folder, 'config.json'), 'utf8')) as Record<string, unknown>;
  expect(() => gpt2.plan({ ...config, ...own }, { contextTokensMax: 64 })).toThrow(message);
});

test('positions beyond what was learned are not offered', async () => {
  const config = JSON.parse(await readFile(join(folder, 'config.json'), 'utf8')) as Record<string, unknown>;
  expect(gpt2.plan(config, { contextTokensMax: 8192 }).shape.contextTokensMax).toBe(64);
});
