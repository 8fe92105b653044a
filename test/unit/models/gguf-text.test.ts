/** The tokenizer that is made from a GGUF file's metadata, against the Rust library on hard strings. */
import { readFile } from 'node:fs/promises';
import { Tokenizer } from '@huggingface/tokenizers';
import { describe, expect, test } from 'vitest';
import { createMetadata } from '../../../models/checkpoints/gguf-metadata.ts';
import { ggufText } from '../../../models/checkpoints/gguf-text.ts';

/** Made by test/fixtures/make-qwen2-tokenizer-cases.py. */
const fixture = JSON.parse(
  await readFile(new URL('../../fixtures/qwen2-tokenizer-cases.json', import.meta.url), 'utf8'),
) as {
  readonly tokens: readonly string[];
  readonly merges: readonly string[];
  readonly cases: readonly { text: string; ids: readonly number[] }[];
};

const metadata = (splitter: string) =>
  createMetadata(
    {
      'tokenizer.ggml.model': 'gpt2',
      'tokenizer.ggml.pre': splitter,
      'tokenizer.ggml.tokens': [...fixture.tokens, '<|im_end|>'],
      'tokenizer.ggml.token_type': [...fixture.tokens.map(() => 1), 3],
      'tokenizer.ggml.merges': fixture.merges,
      'tokenizer.ggml.eos_token_id': fixture.tokens.length,
    },
    'model.gguf',
  );

describe('the splitter of Qwen2', () => {
  const { tokenizer, tokenizerConfig } = ggufText(metadata('qwen2'));
  const ours = new Tokenizer(tokenizer, tokenizerConfig);

  test.each(fixture.cases)('cuts $text as the Rust library does', ({ text, ids }) => {
    expect(ours.encode(text, { add_special_tokens: false }).ids).toEqual(ids);
  });

  test('matters: another one cuts many of these strings differently', () => {
    const { tokenizer: plain } = ggufText(metadata('gpt-2'));
    const other = new Tokenizer(plain, tokenizerConfig);
    const differing = fixture.cases.filter(
      ({ text, ids }) => other.encode(text, { add_special_tokens: false }).ids.join() !== ids.join(),
    );
    expect(differing.length).toBeGreaterThan(10);
  });
});

test('a splitter that is not known is named, with those that are', () => {
  expect(() => ggufText(metadata('chatglm'))).toThrow(
    /"chatglm" can not be converted; .*gpt-2, smollm, qwen2/,
  );
});
