import { describe, expect, it } from 'vitest';
import { readManifest, verifyFiles } from '../../src/onnx/manifest.ts';
import { openTokenizer } from '../../src/onnx/tokenizer.ts';
import { openPlainForward } from '../support/plain-forward.ts';
import { findRealModel } from '../support/real-model.ts';

const { directory, isPresent } = await findRealModel();

describe.runIf(isPresent)('the default model', () => {
  it('is as its manifest says', async () => {
    const manifest = await readManifest(directory);
    expect(manifest).toMatchObject({
      licence: 'Apache-2.0',
      layout: 'd5',
      weights: 'nb8',
      fullLogits: false,
    });
    expect(await verifyFiles(directory, manifest)).toEqual([]);
  });

  it('ends a turn at the end of the turn and at the end of the text', async () => {
    const manifest = await readManifest(directory);
    const tokenizer = await openTokenizer(directory, manifest);
    const ids = (text: string) => [...tokenizer.encode([{ kind: 'template', text }])];
    expect(manifest.tokens.eos).toEqual([...ids('<|im_end|>'), ...ids('<|endoftext|>')]);
  });

  it.each([
    ['The capital of France is', ' Paris'],
    ['One, two, three, four,', ' five'],
    ['<|im_start|>user\nHow are you?<|im_end|>\n<|im_start|>assistant\nI am well, thank', ' you'],
  ])('knows how "%s" goes on', async (prompt, next) => {
    const manifest = await readManifest(directory);
    const tokenizer = await openTokenizer(directory, manifest);
    await using forward = await openPlainForward(directory, manifest);
    const ids = tokenizer.encode([{ kind: 'template', text: prompt }]);
    const { topIds } = await forward.run([...ids]);
    const best = Number(topIds[(ids.length - 1) * manifest.topK]);
    expect(Buffer.from(tokenizer.vocabulary.tokenBytes(best)).toString()).toBe(next);
  });
});
