import type { CheckpointText } from '../checkpoints/checkpoint.ts';
import { byteAlphabet, toTokenizerJson } from '../text/byte-level-bpe.ts';

/** After the 256 bytes, whose ids are their values. */
const merges = [
  ['t', 'h'],
  ['th', 'e'],
  ['i', 'n'],
  ['l', 'l'],
  ['e', 'r'],
  ['Ġ', 'w'],
  ['Ġw', 'e'],
  ['Ġ', 'the'],
] as const;

const IM_START = '<|im_start|>';
const IM_END = '<|im_end|>';
const END_OF_TEXT = '<|endoftext|>';

const tokens = [
  ...byteAlphabet(),
  ...merges.map(([left, right]) => left + right),
  END_OF_TEXT,
  IM_START,
  IM_END,
];

const CHAT_TEMPLATE =
  "{% for message in messages %}{{ '<|im_start|>' + message['role'] + '\n' + message['content'] + '<|im_end|>' + '\n' }}" +
  "{% endfor %}{% if add_generation_prompt %}{{ '<|im_start|>assistant\n' }}{% endif %}";

/** Ids and texts of the tokenizer that all tiny models share. */
export const tinyTokens = {
  count: tokens.length,
  endOfText: tokens.indexOf(END_OF_TEXT),
  imStart: tokens.indexOf(IM_START),
  imEnd: tokens.indexOf(IM_END),
  /** Last byte of a token's text; null for special tokens. */
  lastByte(id: number): number | null {
    const token = tokens[id] ?? '';
    if (token.startsWith('<|')) return null;
    return byteAlphabet().indexOf(token.at(-1) ?? '');
  },
} as const;

export const tinyText: CheckpointText = {
  tokenizer: toTokenizerJson({
    splitter: { isGpt2: true, isComposed: false },
    tokens,
    merges,
    special: [tinyTokens.endOfText, tinyTokens.imStart, tinyTokens.imEnd],
  }),
  tokenizerConfig: {
    tokenizer_class: 'PreTrainedTokenizerFast',
    clean_up_tokenization_spaces: false,
    add_prefix_space: false,
    bos_token: IM_START,
    eos_token: IM_END,
  },
  chatTemplate: CHAT_TEMPLATE,
  tokens: {
    eos: [tinyTokens.imEnd, tinyTokens.endOfText],
    bos: tinyTokens.imStart,
    pad: tinyTokens.imEnd,
  },
};
