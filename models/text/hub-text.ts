import { z } from 'zod';
import type { CheckpointText } from '../checkpoints/checkpoint.ts';
import { endTokens } from './end-tokens.ts';

type Json = Readonly<Record<string, unknown>>;

const addedTokensSchema = z
  .array(z.looseObject({ id: z.int(), content: z.string(), special: z.boolean().default(false) }))
  .default([]);
const idSchema = z.union([z.int(), z.array(z.int())]).nullish();
const templateSchema = z.union([z.string(), z.array(z.object({ name: z.string(), template: z.string() }))]);

/** Text side of a Hugging Face folder, made fit for the tokenizer library that reads it here. */
export function hubText(files: {
  config: Json;
  tokenizer: Json;
  tokenizerConfig: Json;
  generationConfig: Json;
  chatTemplate: string | null;
}): CheckpointText {
  const added = addedTokensSchema.parse(files.tokenizer['added_tokens']).filter((token) => token.special);
  const special = new Map(added.map((token) => [token.content, token.id]));
  const ids = (key: string) =>
    [files.generationConfig[key], files.config[key]].flatMap((raw) => idSchema.parse(raw) ?? []);
  const named = (key: string) => {
    const value = files.tokenizerConfig[key];
    const content = typeof value === 'string' ? value : (value as { content?: unknown } | null)?.content;
    return special.get(String(content));
  };
  const { chat_template: embedded, ...tokenizerConfig } = files.tokenizerConfig;
  return {
    tokenizer: { ...files.tokenizer, pre_tokenizer: splitAllNumerals(files.tokenizer['pre_tokenizer']) },
    tokenizerConfig,
    chatTemplate: files.chatTemplate ?? defaultTemplate(embedded),
    tokens: {
      eos: endTokens([...ids('eos_token_id'), named('eos_token')], special),
      bos: ids('bos_token_id')[0] ?? named('bos_token') ?? null,
      pad: ids('pad_token_id')[0] ?? named('pad_token') ?? null,
    },
  };
}

/**
 * `Digits` means every Unicode numeral to the library that trained the tokenizer, and ASCII digits only to
 * `@huggingface/tokenizers` 0.2; a split on \p{N} means the same to both.
 */
function splitAllNumerals(preTokenizer: unknown): unknown {
  if (preTokenizer === null || typeof preTokenizer !== 'object') return preTokenizer;
  const { type, individual_digits: individual, pretokenizers } = preTokenizer as Json;
  if (type === 'Sequence' && Array.isArray(pretokenizers)) {
    return { ...preTokenizer, pretokenizers: pretokenizers.map(splitAllNumerals) };
  }
  if (type !== 'Digits') return preTokenizer;
  const pattern = { Regex: individual === true ? '\\p{N}' : '\\p{N}+' };
  return { type: 'Split', pattern, behavior: 'Isolated', invert: false };
}

/** tokenizer_config.json holds one template, or several with names. */
function defaultTemplate(raw: unknown): string | null {
  const parsed = templateSchema.safeParse(raw);
  if (!parsed.success) return null;
  if (typeof parsed.data === 'string') return parsed.data;
  return parsed.data.find((entry) => entry.name === 'default')?.template ?? null;
}
