import { Tokenizer } from '@huggingface/tokenizers';
import { describe, expect, it } from 'vitest';
import { byteAlphabet, toTokenizerJson } from '../../../models/text/byte-level-bpe.ts';
import { endTokens } from '../../../models/text/end-tokens.ts';
import { hubText } from '../../../models/text/hub-text.ts';

const END = '<|im_end|>';
/** U+0663 is two bytes, D9 A3; that numeral, and two of them as one token. */
const NUMERAL = 'Ù£';
const tokens = [...byteAlphabet(), NUMERAL, NUMERAL + NUMERAL, END];
const plain = toTokenizerJson({
  tokens,
  merges: [
    ['Ù', '£'],
    [NUMERAL, NUMERAL],
  ],
  special: [tokens.length - 1],
  splitter: { isGpt2: true, isComposed: false },
});

const filesWith = (tokenizer: Record<string, unknown>, config: Record<string, unknown> = {}) => ({
  config: { eos_token_id: tokens.length - 1, ...config },
  tokenizer,
  tokenizerConfig: { chat_template: 'from the configuration' },
  generationConfig: {},
  chatTemplate: null,
});

describe('the text side of a Hugging Face folder', () => {
  it('splits every Unicode numeral where the checkpoint says Digits', () => {
    const digits = { type: 'Digits', individual_digits: true };
    const pretokenizers = [digits, plain['pre_tokenizer']];
    const { tokenizer } = hubText(
      filesWith({ ...plain, pre_tokenizer: { type: 'Sequence', pretokenizers } }),
    );
    const pieces = (json: object) => new Tokenizer(json, {}).encode('a\u0663\u0663').tokens;
    expect(tokenizer['pre_tokenizer']).toMatchObject({
      pretokenizers: [
        { type: 'Split', pattern: { Regex: '\\p{N}' }, behavior: 'Isolated' },
        { type: 'ByteLevel' },
      ],
    });
    expect(pieces(tokenizer)).toEqual(['a', NUMERAL, NUMERAL]);
    expect(pieces(plain)).toEqual(['a', NUMERAL + NUMERAL]);
  });

  it('leaves other pre-tokenizers as they are', () => {
    expect(hubText(filesWith(plain)).tokenizer).toEqual(plain);
  });

  it('takes the chat template of its own file before that of the configuration', () => {
    expect(hubText(filesWith(plain)).chatTemplate).toBe('from the configuration');
    expect(hubText({ ...filesWith(plain), chatTemplate: 'own file' }).chatTemplate).toBe('own file');
    const named = [
      { name: 'tool_use', template: 'tools' },
      { name: 'default', template: 'plain' },
    ];
    const several = { ...filesWith(plain), tokenizerConfig: { chat_template: named } };
    expect(hubText(several).chatTemplate).toBe('plain');
  });

  it('ends at every token that any of its files names', () => {
    const files = { ...filesWith(plain, { eos_token_id: [3, 4] }), generationConfig: { eos_token_id: 5 } };
    expect(hubText(files).tokens.eos).toEqual([5, 3, 4, tokens.length - 1]);
  });
});

describe('end tokens', () => {
  it('hold each id once, those of the checkpoint first', () => {
    const special = new Map([
      ['<|endoftext|>', 0],
      [END, 2],
    ]);
    expect(endTokens([2, null, undefined], special)).toEqual([2, 0]);
  });

  it('must not be empty', () => {
    expect(() => endTokens([null], new Map())).toThrow('names no token that ends a text');
  });
});
