import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Tokenizer } from '@huggingface/tokenizers';
import { describe, expect, it } from 'vitest';
import { readManifest } from '../../src/onnx/manifest.ts';
import { openTokenizer } from '../../src/onnx/tokenizer.ts';
import { findRealModel } from '../support/real-model.ts';

interface Case {
  readonly text: string;
  readonly ids: readonly number[];
}

/** Made by test/fixtures/make-tokenizer-cases.py. */
const fixture = new URL('../fixtures/smollm2-tokenizer-cases.json', import.meta.url);
const { directory, isPresent } = await findRealModel();

describe.runIf(isPresent)('the tokenizer of the default model', async () => {
  const cases = JSON.parse(await readFile(fixture, 'utf8')) as readonly Case[];

  it('gives every hard string the ids that transformers gives it', async () => {
    const readJson = async (name: string) => JSON.parse(await readFile(join(directory, name), 'utf8'));
    const tokenizer = new Tokenizer(
      await readJson('tokenizer.json'),
      await readJson('tokenizer_config.json'),
    );
    expect(cases.length).toBeGreaterThanOrEqual(200);
    const got = cases.map(({ text }) => ({
      text,
      ids: tokenizer.encode(text, { add_special_tokens: false }).ids,
    }));
    expect(got).toEqual(cases);
  });

  it('gives them the same ids through the tokenizer of the workers', async () => {
    const tokenizer = await openTokenizer(directory, await readManifest(directory));
    const got = cases.map(({ text }) => ({
      text,
      ids: [...tokenizer.encode([{ kind: 'template', text }])],
    }));
    expect(got).toEqual(cases);
  });
});
