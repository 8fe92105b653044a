/** The body of `POST /v1/chat/completions`, checked before anything is done. Fields nobody here knows are ignored. */
import { z } from 'zod';
import type { PromptTurn } from '../../conversation/prompt-template.ts';
import { type Checked, invalidRequest } from './refusal.ts';

export interface CompletionRequest {
  readonly model: string;
  /** As they were sent, in their order. */
  readonly turns: readonly PromptTurn[];
  /** Completions to make. */
  readonly candidates: number;
  /** Unsigned 32-bit; null: any. */
  readonly seed: number | null;
  readonly stop: readonly string[];
  /** Of each completion; null: as many as the server allows. */
  readonly tokensMax: number | null;
  /** Null: the server's own. */
  readonly temperature: number | null;
  readonly topP: number | null;
  readonly stream: boolean;
  /** Whether a stream ends with a chunk of token counts. */
  readonly includeUsage: boolean;
}

/** As many stop strings as OpenAI takes. */
const stopsMax = 4;
/** Longer ones would only be held back and never met. */
const stopCharactersMax = 256;
const seedMax = 2 ** 63;

const wellFormed = (text: string) => text.isWellFormed();
const wireText = z.string('must be a text').refine(wellFormed, 'holds a lone surrogate');
const whole = (range: string) => z.int(`must be a whole number ${range}`);

const textPart = z.object(
  { type: z.literal('text', 'must be "text": the model reads nothing else'), text: wireText },
  'must be a text part, { "type": "text", "text": "..." }',
);
const oneAsList = (wrap: (text: string) => unknown) => (value: unknown) =>
  typeof value === 'string' ? [wrap(value)] : value;

const message = z.object(
  {
    role: z.enum(
      ['system', 'developer', 'user', 'assistant'],
      'must be system, developer, user or assistant: the model calls no tools',
    ),
    content: z.preprocess(
      oneAsList((text) => ({ type: 'text', text })),
      z.array(textPart, 'must be a text or a list of text parts'),
    ),
  },
  'must be an object with a role and a content',
);

const stop = z.preprocess(
  oneAsList((text) => text),
  z
    .array(
      wireText
        .min(1, 'must not be empty')
        .max(stopCharactersMax, `must have at most ${stopCharactersMax} characters`),
      'must be a text or a list of texts',
    )
    .max(stopsMax, `must be at most ${stopsMax} texts`),
);

const seed = z
  .number('must be a whole number')
  .refine((value) => Number.isInteger(value) && Math.abs(value) <= seedMax, {
    error: 'must be a whole number of at most 64 bits',
  });

const fieldsOf = (candidatesMax: number) => ({
  model: z.string('must be the name of a model: "default", or one of /v1/models'),
  messages: z.array(message, 'must be a list of messages').min(1, 'must hold a message'),
  n: whole(`from 1 to ${candidatesMax}`)
    .min(1, `must be from 1 to ${candidatesMax}`)
    .max(candidatesMax, `must be from 1 to ${candidatesMax}`)
    .nullish(),
  seed: seed.nullish(),
  stop: stop.nullish(),
  max_tokens: whole('from 1 on').min(1, 'must be at least 1').nullish(),
  max_completion_tokens: whole('from 1 on').min(1, 'must be at least 1').nullish(),
  temperature: z
    .number('must be a number from 0 to 2')
    .min(0, 'must be from 0 to 2')
    .max(2, 'must be from 0 to 2')
    .nullish(),
  top_p: z
    .number('must be a number above 0 and at most 1')
    .gt(0, 'must be above 0')
    .max(1, 'must be at most 1')
    .nullish(),
  stream: z.boolean('must be true or false').nullish(),
  stream_options: z
    .object(
      { include_usage: z.boolean('must be true or false').nullish() },
      'must be an object such as { "include_usage": true }',
    )
    .nullish(),
});

type Body = z.output<z.ZodObject<ReturnType<typeof fieldsOf>>>;

/** What would change the answer and cannot be done here, beside the values that ask for nothing. */
const unsupported: Readonly<Record<string, { readonly asksNothing: (value: unknown) => boolean }>> = {
  frequency_penalty: { asksNothing: (value) => value === 0 },
  presence_penalty: { asksNothing: (value) => value === 0 },
  logit_bias: { asksNothing: isEmpty },
  logprobs: { asksNothing: (value) => value === false },
  top_logprobs: { asksNothing: (value) => value === 0 },
  tools: { asksNothing: isEmpty },
  tool_choice: { asksNothing: (value) => value === 'none' || value === 'auto' },
  functions: { asksNothing: isEmpty },
  function_call: { asksNothing: (value) => value === 'none' || value === 'auto' },
  response_format: { asksNothing: (value) => (value as { type?: unknown }).type === 'text' },
  modalities: { asksNothing: (value) => Array.isArray(value) && value.every((one) => one === 'text') },
  audio: { asksNothing: () => false },
};

function isEmpty(value: unknown): boolean {
  return typeof value === 'object' && value !== null && Object.keys(value).length === 0;
}

export type CompletionRequestParser = (body: unknown) => Checked<CompletionRequest>;

/** @param candidatesMax the largest `n` */
export function createRequestParser(candidatesMax: number): CompletionRequestParser {
  const schema = z.object(fieldsOf(candidatesMax), 'must be a JSON object');
  return (body) => {
    const parsed = schema.safeParse(body);
    if (!parsed.success) return refuseIssue(parsed.error.issues[0]);
    for (const [param, { asksNothing }] of Object.entries(unsupported)) {
      const value = (body as Readonly<Record<string, unknown>>)[param] ?? null;
      if (value === null || asksNothing(value)) continue;
      const sentence = `${param} is not supported here: leave it out.`;
      return { ok: false, refusal: invalidRequest(sentence, { param, code: 'unsupported_parameter' }) };
    }
    return checkTogether(parsed.data);
  };
}

function refuseIssue(issue: z.core.$ZodIssue | undefined): Checked<never> {
  const param = (issue?.path ?? [])
    .map((key, at) => (typeof key === 'number' ? `[${key}]` : at === 0 ? String(key) : `.${String(key)}`))
    .join('');
  const sentence = `${param === '' ? 'The body' : param} ${issue?.message ?? 'is malformed'}.`;
  const more = param === '' ? {} : { param };
  return { ok: false, refusal: invalidRequest(sentence, more) };
}

/** Fields that are well-formed one by one and contradict each other. */
function checkTogether(body: Body): Checked<CompletionRequest> {
  const { max_tokens: older, max_completion_tokens: newer } = body;
  if (typeof older === 'number' && typeof newer === 'number' && older !== newer) {
    const sentence = 'max_tokens and max_completion_tokens differ: send one of them.';
    return { ok: false, refusal: invalidRequest(sentence, { param: 'max_tokens' }) };
  }
  if (body.stream_options && body.stream !== true) {
    const sentence = 'stream_options is for streams: send "stream": true with it.';
    return { ok: false, refusal: invalidRequest(sentence, { param: 'stream_options' }) };
  }
  return { ok: true, value: toRequest(body) };
}

function toRequest(body: Body): CompletionRequest {
  return {
    model: body.model,
    turns: body.messages.map(toTurn),
    candidates: body.n ?? 1,
    seed: typeof body.seed === 'number' ? toUint32(body.seed) : null,
    stop: body.stop ?? [],
    tokensMax: body.max_completion_tokens ?? body.max_tokens ?? null,
    temperature: body.temperature ?? null,
    topP: body.top_p ?? null,
    stream: body.stream ?? false,
    includeUsage: body.stream_options?.include_usage ?? false,
  };
}

function toTurn({ role, content }: Body['messages'][number]): PromptTurn {
  const text = content.map((part) => part.text).join('\n');
  if (role === 'assistant') return { role: 'companion', text };
  return { role: role === 'user' ? 'user' : 'system', text };
}

/** Modulo 2^32: the engine's own seeds stay as they are, and others keep their low bits. */
function toUint32(value: number): number {
  return Number(BigInt.asUintN(32, BigInt(value)));
}
