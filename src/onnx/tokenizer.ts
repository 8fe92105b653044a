import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Tokenizer } from '@huggingface/tokenizers';
import type { PromptSegment } from '../conversation/prompt-segment.ts';
import type { TokenCounter } from '../conversation/prompt-template.ts';
import type { Vocabulary } from '../engine/model-runner.ts';
import { CodedError } from '../std/coded-error.ts';
import { byteLevelBytes } from './byte-level.ts';
import type { Manifest } from './manifest.ts';
import { createTokenCache } from './token-cache.ts';

/**
 * Characters of text whose token ids are kept: a conversation's messages come again every turn. Enough for the prompts of about fifty people
 * who write at one time; 0.6 MB for 100,000 characters, and 0.6 ms to encode 1,000 anew (measured on dialogs).
 */
const CACHED_CHARACTERS_MAX = 120_000;

/** Words whose split is kept. The library would keep 10,000: a server meets that many only in hours, and grows until then. */
const CACHED_WORDS_MAX = 1000;

const NO_BYTES = new Uint8Array(0);

/** What the vocabulary's special tokens are called, as chat templates name them. */
export interface SpecialTokens {
  readonly bos: string | null;
  readonly eos: string | null;
  /** Contents of all special tokens. */
  readonly all: readonly string[];
}

export interface ModelTokenizer extends TokenCounter {
  /** Segments are encoded one by one; special ids come out of `template` segments only. */
  encode(segments: readonly PromptSegment[]): Int32Array;
  readonly vocabulary: Vocabulary;
  readonly specials: SpecialTokens;
}

interface AddedTokenEntry {
  readonly id: number;
  readonly content: string;
  readonly special?: boolean;
}

interface TokenizerJson {
  readonly added_tokens: readonly AddedTokenEntry[];
  readonly model: {
    readonly type?: string;
    readonly vocab: Readonly<Record<string, number>>;
    readonly [key: string]: unknown;
  };
  readonly [key: string]: unknown;
}

/**
 * Reads the two tokenizer files of a model directory.
 *
 * @throws CodedError `model_unavailable` when one is missing, damaged or of a kind that is not served.
 */
export async function openTokenizer(
  directory: string,
  { files, tokens }: Pick<Manifest, 'files' | 'tokens'>,
): Promise<ModelTokenizer> {
  const path = join(directory, files.tokenizer.path);
  const configPath = join(directory, files.tokenizerConfig.path);
  return createTokenizer({
    json: parseTokenizerJson(await readText(path), path),
    config: parseObject(await readText(configPath), configPath),
    endTokens: tokens.eos,
  });
}

interface TokenizerParts {
  readonly json: TokenizerJson;
  readonly config: Record<string, unknown>;
  /** Ids that end a reply, whether or not the vocabulary calls them special. */
  readonly endTokens: readonly number[];
}

function createTokenizer({ json, config, endTokens }: TokenizerParts): ModelTokenizer {
  const specials = json.added_tokens.filter(
    (token) => token.special === true || endTokens.includes(token.id),
  );
  const specialIds = new Set(specials.map((token) => token.id));
  const textTokenizer = openBpe(withoutSpecials(json, specials), config);
  const templateTokenizer = withSpecials(textTokenizer, json, config);
  const cache = createTokenCache(CACHED_CHARACTERS_MAX);

  const encodeTemplate = (text: string) =>
    Int32Array.from(templateTokenizer.encode(text, { add_special_tokens: false }).ids.filter(isId));
  // The vocabulary that text is split with has no special entry any more; the filter stays as a second lock
  // (an unknown-token id would be one).
  const encodeText = (text: string) =>
    Int32Array.from(
      textTokenizer
        .encode(text, { add_special_tokens: false })
        .ids.filter((id: number | undefined) => isId(id) && !specialIds.has(id)),
    );
  const encodeSegment = ({ kind, text }: PromptSegment): Int32Array => {
    if (text === '') return new Int32Array(0);
    const cached = cache.get(kind, text);
    if (cached !== undefined) return cached;
    const ids = kind === 'template' ? encodeTemplate(text) : encodeText(text);
    cache.set(kind, text, ids);
    return ids;
  };

  return {
    encode: (segments) => concatenate(segments.map(encodeSegment)),
    countTokens: (segments) => segments.reduce((sum, segment) => sum + encodeSegment(segment).length, 0),
    vocabulary: createVocabulary(json, specialIds),
    specials: {
      bos: tokenContent(config['bos_token']),
      eos: tokenContent(config['eos_token']),
      all: specials.map((token) => token.content),
    },
  };
}

/** Keeps nothing of `json` but what it works with, and takes the vocabulary out of it: whole, it is most of what a thread holds. */
function openBpe(json: TokenizerJson, config: Record<string, unknown>): Tokenizer {
  const tokenizer = new Tokenizer(json, config);
  // Public in the library, but its types name the model by its base class only.
  const model = tokenizer.model as { merges?: unknown; readonly cache?: { capacity: number } };
  if (model.cache !== undefined) model.cache.capacity = CACHED_WORDS_MAX;
  // The library has made maps of them, and keeps what it was given too.
  model.merges = [];
  Object.assign(json.model, { vocab: {}, merges: [] });
  return tokenizer;
}

/** A tokenizer that finds the special tokens of `json` in a text, and splits what lies between them as `tokenizer` does. */
function withSpecials(tokenizer: Tokenizer, json: TokenizerJson, config: Record<string, unknown>): Tokenizer {
  const model = { ...json.model, vocab: {}, merges: [] };
  const other = new Tokenizer({ ...json, model }, config);
  other.model = tokenizer.model;
  return other;
}

/** A copy of the tokenizer that does not know its special tokens: what people write is split like any text. */
function withoutSpecials(json: TokenizerJson, specials: readonly AddedTokenEntry[]): TokenizerJson {
  const contents = new Set(specials.map((token) => token.content));
  const vocab = Object.fromEntries(
    Object.entries(json.model.vocab).filter(([content]) => !contents.has(content)),
  );
  return {
    ...json,
    added_tokens: json.added_tokens.filter((token) => !contents.has(token.content)),
    model: { ...json.model, vocab, unk_token: null },
  };
}

/**
 * Every special token ends a reply: a reply is text, so a special token in it means that the model has left
 * its turn (SmolLM2, for one, sometimes opens the user's turn instead of closing its own).
 */
function createVocabulary(json: TokenizerJson, specialIds: ReadonlySet<number>): Vocabulary {
  const entries: [string, number][] = Object.entries(json.model.vocab);
  for (const token of json.added_tokens) entries.push([token.content, token.id]);
  const size = entries.reduce((largest, [, id]) => Math.max(largest, id), -1) + 1;
  const pieces: Uint8Array[] = new Array<Uint8Array>(size).fill(NO_BYTES);
  const encoder = new TextEncoder();
  for (const [token, id] of entries) {
    if (!specialIds.has(id)) pieces[id] = byteLevelBytes(token) ?? encoder.encode(token);
  }
  // One array: every collection of garbage would visit fifty thousand small ones.
  const bytes = Buffer.concat(pieces);
  let length = 0;
  const ends = Uint32Array.from(pieces, (piece) => (length += piece.length));
  const tokenBytes = (id: number) => bytes.subarray(ends[id - 1] ?? 0, ends[id] ?? 0);
  return { size, tokenBytes, isEnd: (id) => specialIds.has(id) };
}

function parseTokenizerJson(text: string, path: string): TokenizerJson {
  const json = parseObject(text, path) as Partial<TokenizerJson>;
  if (json.model?.type !== 'BPE' || !isByteLevel(json['decoder'])) {
    throw new CodedError('model_unavailable', `${path}: only byte-level BPE tokenizers are served.`);
  }
  if (!Array.isArray(json.added_tokens) || typeof json.model.vocab !== 'object') {
    throw new CodedError('model_unavailable', `${path} is damaged: it has no vocabulary.`);
  }
  return json as TokenizerJson;
}

function isByteLevel(decoder: unknown): boolean {
  return JSON.stringify(decoder ?? null).includes('"ByteLevel"');
}

function parseObject(text: string, path: string): Record<string, unknown> {
  try {
    const value: unknown = JSON.parse(text);
    if (typeof value === 'object' && value !== null) return value as Record<string, unknown>;
  } catch (cause) {
    throw new CodedError('model_unavailable', `${path} is damaged: it is not JSON.`, { cause });
  }
  throw new CodedError('model_unavailable', `${path} is damaged: it is not a JSON object.`);
}

async function readText(path: string): Promise<string> {
  try {
    return await readFile(path, 'utf8');
  } catch (cause) {
    throw new CodedError('model_unavailable', `${path} cannot be read.`, { cause });
  }
}

/** `bos_token` and the like are a string, or an object with the string in it, or absent. */
function tokenContent(value: unknown): string | null {
  if (typeof value === 'string') return value;
  if (typeof value === 'object' && value !== null && 'content' in value) return String(value.content);
  return null;
}

function isId(id: number | undefined): id is number {
  return id !== undefined;
}

function concatenate(parts: readonly Int32Array[]): Int32Array {
  const all = new Int32Array(parts.reduce((sum, part) => sum + part.length, 0));
  let offset = 0;
  for (const part of parts) {
    all.set(part, offset);
    offset += part.length;
  }
  return all;
}
