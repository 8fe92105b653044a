export interface ByteLevelBpe {
  /** Token strings in the byte-level alphabet; the index is the id. */
  readonly tokens: readonly string[];
  /** Pairs to join, the most urgent first. */
  readonly merges: readonly (readonly [string, string])[];
  /** Ids of tokens that are never made from text but by their exact name. */
  readonly special: readonly number[];
  readonly splitter: Splitter;
}

/** What happens to a text before its bytes are looked at. */
export interface Splitter {
  /** Cuts the text: each match becomes a piece of its own. */
  readonly isolate?: string;
  /** Whether what is left is cut as GPT-2 cuts; otherwise `isolate` matches everything. */
  readonly isGpt2: boolean;
  /** Whether characters that can be written in two ways are brought into one form (NFC). */
  readonly isComposed: boolean;
}

/** The contents of a tokenizer.json with the byte-level BPE of GPT-2 and its heirs. */
export function toTokenizerJson({
  tokens,
  merges,
  special,
  splitter,
}: ByteLevelBpe): Record<string, unknown> {
  const { isolate, isGpt2, isComposed } = splitter;
  const byteLevel = { type: 'ByteLevel', add_prefix_space: false, trim_offsets: true, use_regex: isGpt2 };
  const split = { type: 'Split', pattern: { Regex: isolate }, behavior: 'Isolated', invert: false };
  return {
    version: '1.0',
    truncation: null,
    padding: null,
    added_tokens: special.map((id) => ({
      id,
      content: tokens[id],
      single_word: false,
      lstrip: false,
      rstrip: false,
      normalized: false,
      special: true,
    })),
    normalizer: isComposed ? { type: 'NFC' } : null,
    pre_tokenizer:
      isolate === undefined ? byteLevel : { type: 'Sequence', pretokenizers: [split, byteLevel] },
    post_processor: null,
    decoder: { ...byteLevel, add_prefix_space: true },
    model: {
      type: 'BPE',
      dropout: null,
      unk_token: null,
      continuing_subword_prefix: null,
      end_of_word_suffix: null,
      fuse_unk: false,
      byte_fallback: false,
      ignore_merges: false,
      vocab: Object.fromEntries(tokens.map((token, id) => [token, id])),
      merges,
    },
  };
}

/**
 * The character that stands for each byte: printable Latin-1 characters stand for themselves, the others for
 * the characters from U+0100 on, in order. Source: the byte-level alphabet of GPT-2.
 */
export function byteAlphabet(): readonly string[] {
  const printable = (byte: number) =>
    (byte >= 0x21 && byte <= 0x7e) || (byte >= 0xa1 && byte <= 0xac) || (byte >= 0xae && byte <= 0xff);
  let next = 0x100;
  return Array.from({ length: 256 }, (_, byte) => String.fromCodePoint(printable(byte) ? byte : next++));
}
