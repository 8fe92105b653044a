import { type Splitter, toTokenizerJson } from '../text/byte-level-bpe.ts';
import { endTokens } from '../text/end-tokens.ts';
import type { CheckpointText } from './checkpoint.ts';
import type { GgufMetadata } from './gguf-metadata.ts';

/**
 * Published in Qwen2's tokenizer.json as one expression; its `(?i:...)` is spelled out, since JavaScript has no such group on the
 * oldest Node that is supported.
 */
const QWEN2_PIECES = [
  "'[sS]|'[tT]|'[rR][eE]|'[vV][eE]|'[mM]|'[lL][lL]|'[dD]",
  '[^\\r\\n\\p{L}\\p{N}]?\\p{L}+',
  '\\p{N}',
  ' ?[^\\s\\p{L}\\p{N}]+[\\r\\n]*',
  '\\s*[\\r\\n]+',
  '\\s+(?!\\S)',
  '\\s+',
].join('|');

/** How the text is cut before the byte-level step, by `tokenizer.ggml.pre`. */
const splitters = new Map<string, Splitter>([
  ['gpt-2', { isGpt2: true, isComposed: false }],
  // Each numeral by itself. Written as a split, because `Digits` means ASCII digits only to some readers.
  ['smollm', { isolate: '\\p{N}', isGpt2: true, isComposed: false }],
  ['qwen2', { isolate: QWEN2_PIECES, isGpt2: false, isComposed: true }],
]);

const TYPE_UNKNOWN = 2;
const TYPE_CONTROL = 3;

/** tokenizer.json, chat template and special tokens, made from the metadata of a GGUF file. */
export function ggufText(metadata: GgufMetadata): CheckpointText {
  const model = metadata.text('tokenizer.ggml.model');
  const splitterName = metadata.textOr('tokenizer.ggml.pre', 'gpt-2');
  const splitter = splitters.get(splitterName);
  if (model !== 'gpt2' || splitter === undefined) {
    throw new Error(
      `The tokenizer "${model}" with the splitter "${splitterName}" can not be converted; ` +
        `supported: "gpt2" with ${[...splitters.keys()].join(', ')}`,
    );
  }
  const tokens = metadata.texts('tokenizer.ggml.tokens');
  const types = metadata.numbers('tokenizer.ggml.token_type');
  const special = tokens
    .map((_, id) => id)
    .filter((id) => types[id] === TYPE_CONTROL || types[id] === TYPE_UNKNOWN);
  const id = (key: string) => metadata.numberOr(`tokenizer.ggml.${key}_token_id`, null);
  const text = (key: string) => tokens[id(key) ?? -1];
  return {
    tokenizer: toTokenizerJson({
      tokens,
      special,
      merges: metadata.texts('tokenizer.ggml.merges').map(toPair),
      splitter,
    }),
    tokenizerConfig: {
      tokenizer_class: 'PreTrainedTokenizerFast',
      clean_up_tokenization_spaces: false,
      add_prefix_space: false,
      bos_token: text('bos'),
      eos_token: text('eos'),
      unk_token: text('unknown'),
      pad_token: text('padding'),
    },
    chatTemplate: metadata.textOr('tokenizer.chat_template', null),
    tokens: {
      eos: endTokens([id('eos'), id('eot')], new Map(special.map((index) => [tokens[index] ?? '', index]))),
      bos: id('bos'),
      pad: id('padding'),
    },
  };
}

function toPair(merge: string): [string, string] {
  const gap = merge.indexOf(' ', 1);
  return [merge.slice(0, gap), merge.slice(gap + 1)];
}
