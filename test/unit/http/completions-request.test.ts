/** The body of a completion request: what is taken, and what is refused with the field that is to blame. */
import { describe, expect, it } from 'vitest';
import { createRequestParser } from '../../../src/http/completions/request.ts';

const parse = createRequestParser(16);
const hello = { model: 'default', messages: [{ role: 'user', content: 'Hello' }] };

const read = (more: Record<string, unknown>) => {
  const parsed = parse({ ...hello, ...more });
  if (!parsed.ok) throw new Error(parsed.refusal.error.message);
  return parsed.value;
};

const refusalOf = (body: unknown) => {
  const parsed = parse(body);
  if (parsed.ok) throw new Error('it was taken');
  return parsed.refusal;
};

describe('a completion request', () => {
  it('takes the least that OpenAI asks for', () => {
    expect(read({})).toEqual({
      model: 'default',
      turns: [{ role: 'user', text: 'Hello' }],
      candidates: 1,
      seed: null,
      stop: [],
      tokensMax: null,
      temperature: null,
      topP: null,
      stream: false,
      includeUsage: false,
    });
  });

  it('takes all roles, and texts in parts', () => {
    const messages = [
      { role: 'developer', content: 'Be brief.' },
      { role: 'system', content: [{ type: 'text', text: 'Be kind.' }] },
      {
        role: 'user',
        name: 'ada',
        content: [
          { type: 'text', text: 'One.' },
          { type: 'text', text: 'Two.' },
        ],
      },
      { role: 'assistant', content: 'Three?' },
    ];
    expect(read({ messages }).turns).toEqual([
      { role: 'system', text: 'Be brief.' },
      { role: 'system', text: 'Be kind.' },
      { role: 'user', text: 'One.\nTwo.' },
      { role: 'companion', text: 'Three?' },
    ]);
  });

  it.each([
    [0, 0],
    [7, 7],
    [2 ** 32 - 1, 2 ** 32 - 1],
    [2 ** 32, 0],
    [-1, 2 ** 32 - 1],
    [2 ** 53 + 2, 2],
    [-(2 ** 63), 0],
  ])('maps the seed %d to its remainder of 2^32, %d', (seed, expected) => {
    expect(read({ seed }).seed).toBe(expected);
  });

  it('takes a stop as a text or as a list', () => {
    expect(read({ stop: '\n' }).stop).toEqual(['\n']);
    expect(read({ stop: ['a', 'b', 'c', 'd'] }).stop).toEqual(['a', 'b', 'c', 'd']);
    expect(read({ stop: [] }).stop).toEqual([]);
  });

  it('takes either name of the token limit, and both when they agree', () => {
    expect(read({ max_tokens: 5 }).tokensMax).toBe(5);
    expect(read({ max_completion_tokens: 6 }).tokensMax).toBe(6);
    expect(read({ max_tokens: 7, max_completion_tokens: 7 }).tokensMax).toBe(7);
  });

  it('takes null for absent, and values that ask for nothing', () => {
    const nulls = [
      'n',
      'seed',
      'stop',
      'max_tokens',
      'temperature',
      'top_p',
      'stream',
      'stream_options',
      'tools',
    ];
    expect(read(Object.fromEntries(nulls.map((name) => [name, null])))).toEqual(read({}));
    const harmless = {
      frequency_penalty: 0,
      presence_penalty: 0,
      logit_bias: {},
      logprobs: false,
      tools: [],
      tool_choice: 'none',
      response_format: { type: 'text' },
      modalities: ['text'],
    };
    expect(read(harmless)).toEqual(read({}));
  });

  it('ignores what says nothing about the answer, and what it does not know', () => {
    const more = { user: 'u', metadata: { a: 'b' }, store: true, service_tier: 'auto', a_new_field: [1] };
    expect(read(more)).toEqual(read({}));
  });

  it.each([
    [{ model: undefined }, 'model'],
    [{ model: 3 }, 'model'],
    [{ messages: 'no' }, 'messages'],
    [{ messages: [] }, 'messages'],
    [{ messages: ['no'] }, 'messages[0]'],
    [{ messages: [{ role: 'tool', content: 'x' }] }, 'messages[0].role'],
    [{ messages: [{ role: 'user' }] }, 'messages[0].content'],
    [{ messages: [{ role: 'user', content: null }] }, 'messages[0].content'],
    [
      { messages: [{ role: 'user', content: [{ type: 'image_url', image_url: {} }] }] },
      'messages[0].content[0].type',
    ],
    [{ messages: [{ role: 'user', content: '\ud800' }] }, 'messages[0].content[0].text'],
    [{ n: 0 }, 'n'],
    [{ n: 17 }, 'n'],
    [{ n: 1.5 }, 'n'],
    [{ n: '2' }, 'n'],
    [{ seed: 1.5 }, 'seed'],
    [{ seed: 2 ** 64 }, 'seed'],
    [{ seed: '7' }, 'seed'],
    [{ stop: '' }, 'stop[0]'],
    [{ stop: ['a', 'b', 'c', 'd', 'e'] }, 'stop'],
    [{ stop: 'x'.repeat(257) }, 'stop[0]'],
    [{ stop: [1] }, 'stop[0]'],
    [{ stop: 1 }, 'stop'],
    [{ max_tokens: 0 }, 'max_tokens'],
    [{ max_completion_tokens: -1 }, 'max_completion_tokens'],
    [{ max_tokens: 5, max_completion_tokens: 6 }, 'max_tokens'],
    [{ temperature: -0.1 }, 'temperature'],
    [{ temperature: 2.1 }, 'temperature'],
    [{ temperature: '1' }, 'temperature'],
    [{ top_p: 0 }, 'top_p'],
    [{ top_p: 1.1 }, 'top_p'],
    [{ stream: 'yes' }, 'stream'],
    [{ stream_options: { include_usage: true } }, 'stream_options'],
    [{ stream: true, stream_options: { include_usage: 1 } }, 'stream_options.include_usage'],
    [{ frequency_penalty: 0.5 }, 'frequency_penalty'],
    [{ presence_penalty: -1 }, 'presence_penalty'],
    [{ logit_bias: { 5: 1 } }, 'logit_bias'],
    [{ logprobs: true }, 'logprobs'],
    [{ top_logprobs: 2 }, 'top_logprobs'],
    [{ tools: [{ type: 'function' }] }, 'tools'],
    [{ tool_choice: 'required' }, 'tool_choice'],
    [{ functions: [{ name: 'f' }] }, 'functions'],
    [{ response_format: { type: 'json_object' } }, 'response_format'],
    [{ modalities: ['text', 'audio'] }, 'modalities'],
    [{ audio: { voice: 'x' } }, 'audio'],
  ])('refuses %j and names %s', (more, param) => {
    const { status, error } = refusalOf({ ...hello, ...more });
    expect([status, error.type, error.param]).toEqual([400, 'invalid_request_error', param]);
    expect(error.message).toMatch(new RegExp(`^${param.replaceAll(/[[\].]/g, '\\$&')}.*\\.$`));
  });

  it.each([[null], [[]], ['text'], [7]])('refuses %j as a body', (body) => {
    expect(refusalOf(body).error).toMatchObject({ param: null, message: 'The body must be a JSON object.' });
  });

  it('takes no more completions than the server allows', () => {
    const few = createRequestParser(4);
    expect(few({ ...hello, n: 4 }).ok).toBe(true);
    expect(few({ ...hello, n: 5 }).ok).toBe(false);
  });
});
