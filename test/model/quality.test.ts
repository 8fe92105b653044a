import { readFile } from 'node:fs/promises';
import { describe, expect, it } from 'vitest';
import { readDialogs, sampleDialogs, toTokens } from '../../bench/quality/dialogs.ts';
import { readManifest } from '../../src/onnx/manifest.ts';
import { openTokenizer } from '../../src/onnx/tokenizer.ts';
import { openPlainForward } from '../support/plain-forward.ts';
import { findRealModel } from '../support/real-model.ts';

interface Recorded {
  readonly tokensMax: number;
  readonly dialogs: readonly { id: string; tokens: number; referenceLoss: number }[];
}

/** Losses of the same checkpoint with float32 weights; made by bench/quality.ts. */
const recorded = new URL('../../bench/results/quality.json', import.meta.url);
/** Every so many dialogs: a few in a row are all of one kind, and say little. */
const EVERY = process.env['AMITY_TEST_LONG'] === undefined ? 8 : 1;
const TOKENS_MIN = 20_000 / EVERY;
const { directory, isPresent } = await findRealModel();

describe.runIf(isPresent)('the 8-bit weights of the default model', () => {
  it('have a perplexity on dialogs at most 1.5 % above that of the float32 weights', async () => {
    const { tokensMax, dialogs: losses } = JSON.parse(await readFile(recorded, 'utf8')) as Recorded;
    const manifest = await readManifest(directory);
    const tokenizer = await openTokenizer(directory, manifest);
    await using forward = await openPlainForward(directory, manifest);
    let tokens = 0;
    let loss = 0;
    let referenceLoss = 0;
    for (const [index, dialog] of (await readDialogs(sampleDialogs)).entries()) {
      if (index % EVERY !== 0) continue;
      const { ids, isText } = toTokens(dialog, tokenizer, tokensMax);
      const { targetLogProb } = await forward.run(ids);
      const counted = ids.map((_, row) => row).filter((row) => isText[row + 1] === true);
      expect(losses[index]).toMatchObject({ id: dialog.id, tokens: counted.length });
      tokens += counted.length;
      loss -= counted.reduce((sum, row) => sum + targetLogProb[row]!, 0);
      referenceLoss += losses[index]!.referenceLoss;
    }
    const ratio = Math.exp((loss - referenceLoss) / tokens);
    console.log(
      `${tokens} tokens: perplexity ${Math.exp(loss / tokens).toFixed(2)}, ${(100 * (ratio - 1)).toFixed(2)} % above float32`,
    );
    expect(tokens).toBeGreaterThanOrEqual(TOKENS_MIN);
    expect(ratio).toBeLessThan(1.015);
    // Weights of the hub are finer than those the record was made with, but they are the same model.
    expect(ratio).toBeGreaterThan(0.8);
  });
});
