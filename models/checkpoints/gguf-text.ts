import { toTokenizerJson } from '../text/byte-level-bpe.ts';
import { endTokens } from '../text/end-tokens.ts';
import type { CheckpointText } from './checkpoint.ts';
import type { GgufMetadata } from './gguf-metadata.ts';

/** How the text is cut before the byte-level step, by `tokenizer.ggml.pre`; undefined = not at all. */
const splitters = new Map<string, string | undefined>([
  ['gpt-2', undefined],
  // Each numeral by itself. Written as a split, because `Digits` means ASCII digits only to some readers.
  ['smollm', '\\p{N}'],
]);

const TYPE_UNKNOWN = 2;
const TYPE_CONTROL = 3;

/** tokenizer.json, chat template and special tokens, made from the metadata of a GGUF file. */
export function ggufText(metadata: GgufMetadata): CheckpointText {
  const model = metadata.text('tokenizer.ggml.model');
  const splitter = metadata.textOr('tokenizer.ggml.pre', 'gpt-2');
  if (model !== 'gpt2' || !splitters.has(splitter)) {
    throw new Error(
      `The tokenizer "${model}" with the splitter "${splitter}" can not be converted; ` +
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
  const isolate = splitters.get(splitter);
  return {
    tokenizer: toTokenizerJson({
      tokens,
      special,
      merges: metadata.texts('tokenizer.ggml.merges').map(toPair),
      ...(isolate === undefined ? {} : { isolate }),
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
