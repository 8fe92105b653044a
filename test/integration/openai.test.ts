/** `/v1/chat/completions` and `/v1/models` on a real server: real workers, the tiny models, sockets that close. */
import { mkdtemp, rm } from 'node:fs/promises';
import { request as httpRequest } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startTestServer, type TestServer } from '../support/start-test-server.ts';
import { makeTinyModel } from '../support/tiny-model.ts';

const alphabet = 'abcdefghijklmnopqrstuvwxyz';
const hello = { model: 'default', messages: [{ role: 'user', content: 'Hello' }] };

interface Completion {
  readonly model: string;
  readonly choices: readonly {
    readonly index: number;
    readonly message: { readonly content: string };
    readonly finish_reason: string;
  }[];
  readonly usage: { readonly prompt_tokens: number; readonly completion_tokens: number };
}

interface Chunk {
  readonly choices: readonly {
    readonly index: number;
    readonly delta: { readonly content?: string };
    readonly finish_reason: string | null;
  }[];
  readonly usage?: Completion['usage'] | null;
}

const ask = (url: string, more: Record<string, unknown> = {}, headers: Record<string, string> = {}) =>
  fetch(`${url}/v1/chat/completions`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...headers },
    body: JSON.stringify({ ...hello, ...more }),
  });

const whole = async (url: string, more: Record<string, unknown> = {}) =>
  (await (await ask(url, more)).json()) as Completion;

/** The texts of a stream by choice, and its last chunk. */
async function streamed(url: string, more: Record<string, unknown> = {}) {
  const events = (await (await ask(url, { ...more, stream: true })).text()).trimEnd().split('\n\n');
  expect(events.pop()).toBe('data: [DONE]');
  const chunks = events.map((event) => JSON.parse(event.slice('data: '.length)) as Chunk);
  const texts: string[] = [];
  for (const { index, delta } of chunks.flatMap(({ choices }) => choices)) {
    texts[index] = (texts[index] ?? '') + (delta.content ?? '');
  }
  return { texts, last: chunks.at(-1) };
}

describe('a completion by the model that counts', () => {
  let server: TestServer;
  beforeAll(async () => {
    server = await startTestServer();
  });
  afterAll(() => server[Symbol.asyncDispose]());

  it('is the text of the model, with its tokens', async () => {
    const { model, choices, usage } = await whole(server.url);
    expect(model).toBe('tiny-counting');
    expect(choices).toMatchObject([{ index: 0, message: { content: alphabet }, finish_reason: 'stop' }]);
    expect(usage.completion_tokens).toBe(alphabet.length + 1);
    expect(usage.prompt_tokens).toBeGreaterThan('Hello'.length);
  });

  it('streams the same text', async () => {
    const { texts, last } = await streamed(server.url, { n: 2, stream_options: { include_usage: true } });
    expect(texts).toEqual([alphabet, alphabet]);
    expect(last).toMatchObject({ choices: [], usage: { completion_tokens: 2 * (alphabet.length + 1) } });
  });

  it('ends at a stop string and at its length', async () => {
    expect((await whole(server.url, { stop: ['efg', 'x'] })).choices[0]).toMatchObject({
      message: { content: 'abcd' },
      finish_reason: 'stop',
    });
    expect((await whole(server.url, { max_tokens: 3, n: 3 })).choices).toMatchObject(
      [0, 1, 2].map((index) => ({ index, message: { content: 'abc' }, finish_reason: 'length' })),
    );
  });

  it('takes the model by its name too, and lists both names', async () => {
    expect((await whole(server.url, { model: 'tiny-counting' })).choices).toHaveLength(1);
    const listed = (await (await fetch(`${server.url}/v1/models`)).json()) as { data: { id: string }[] };
    expect(listed).toMatchObject({
      object: 'list',
      data: ['default', 'tiny-counting'].map((id) => ({ id, object: 'model', owned_by: 'amity' })),
    });
    const one = await fetch(`${server.url}/v1/models/tiny-counting`);
    expect(await one.json()).toEqual(listed.data[1]);
    const none = await fetch(`${server.url}/v1/models/gpt-4`);
    expect([none.status, await none.json()]).toMatchObject([404, { error: { code: 'model_not_found' } }]);
  });

  it('refuses what does not fit into the context before any work, with the model’s own counts', async () => {
    const answer = await ask(server.url, { max_tokens: 100_000 });
    expect([answer.status, await answer.json()]).toMatchObject([
      400,
      {
        error: {
          code: 'context_length_exceeded',
          message: expect.stringMatching(/\d+ and max_tokens is 100000/),
        },
      },
    ]);
  });

  it('counts what was written, without a word of it', async () => {
    const metrics = await (await fetch(`${server.url}/metrics`)).text();
    expect(metrics).toMatch(/^amity_completions_total\{outcome="done"\} [1-9]/m);
    expect(metrics).toMatch(/^amity_generations_running 0$/m);
    expect(metrics).not.toContain(alphabet);
  });
});

describe('a completion by the model of noise', () => {
  let models: string;
  let server: TestServer;
  beforeAll(async () => {
    models = await mkdtemp(join(tmpdir(), 'amity-openai-'));
    await makeTinyModel(join(models, 'tiny-random'), { kind: 'random' });
    server = await startTestServer({ modelsDirectory: models, env: { MODEL: 'tiny-random' } });
  });
  afterAll(async () => {
    await server[Symbol.asyncDispose]();
    await rm(models, { recursive: true });
  });

  it('is the same for the same seed, streamed or not, alone or among others', async () => {
    const seeded = { seed: 7, max_tokens: 24, n: 3, temperature: 1.5 };
    const [first, again, stream, other] = await Promise.all([
      whole(server.url, seeded),
      whole(server.url, { ...seeded, seed: 7 + 2 ** 32 }),
      streamed(server.url, seeded),
      whole(server.url, { ...seeded, seed: 8 }),
    ]);
    const textsOf = ({ choices }: Completion) => choices.map(({ message }) => message.content);
    expect(new Set(textsOf(first)).size).toBe(3);
    expect(textsOf(again)).toEqual(textsOf(first));
    expect(stream.texts).toEqual(textsOf(first));
    expect(textsOf(other)).not.toEqual(textsOf(first));
  });
});

describe('a completion whose client closes the connection', () => {
  let models: string;
  let server: TestServer;
  beforeAll(async () => {
    models = await mkdtemp(join(tmpdir(), 'amity-openai-'));
    await makeTinyModel(join(models, 'tiny-counting'), { kind: 'counting', endless: true });
    const env = { AMITY_BATCH_ROWS_MAX: '1', AMITY_CANDIDATES: '1' };
    server = await startTestServer({ modelsDirectory: models, env });
  });
  afterAll(async () => {
    await server[Symbol.asyncDispose]();
    await rm(models, { recursive: true });
  });

  /** Opens a request and closes its socket: when the first text arrived, or when it was sent. */
  const leave = (stream: boolean) =>
    new Promise<void>((resolve) => {
      const body = JSON.stringify({ ...hello, stream });
      const headers = { 'content-type': 'application/json', 'content-length': Buffer.byteLength(body) };
      const request = httpRequest(`${server.url}/v1/chat/completions`, { method: 'POST', headers });
      // Leaving is an error on this side too.
      request.on('error', () => undefined);
      request.on('response', (response) => {
        response.on('error', () => undefined);
        response.on('data', () => request.destroy());
      });
      request.on('close', () => resolve());
      request.end(body, () => {
        if (!stream) request.destroy();
      });
    });

  it('is cancelled, and its row is free for the next', async () => {
    await leave(true);
    // The only row: this one begins when the one before has left it.
    expect((await whole(server.url, { max_tokens: 2 })).choices[0]?.message.content).toBe('ab');
    const metrics = await (await fetch(`${server.url}/metrics`)).text();
    expect(metrics).toMatch(/^amity_completions_total\{outcome="cancelled"\} 1$/m);
    expect(metrics).toMatch(/^amity_generations_running 0$/m);
    expect(metrics).toMatch(/^amity_generations_queued 0$/m);
  });

  it('is as good as never asked for when it was not waited for at all', async () => {
    await leave(false);
    expect((await whole(server.url, { max_tokens: 2 })).choices[0]?.message.content).toBe('ab');
    // The answer may come before its worker has said that it is done.
    const metrics = async () => (await fetch(`${server.url}/metrics`)).text();
    await expect.poll(metrics, { timeout: 10_000 }).toMatch(/^amity_generations_running 0$/m);
  });
});

describe('access to completions', () => {
  const codeOf = async (answer: Response) => [
    answer.status,
    ((await answer.json()) as { error?: { code: string } }).error?.code,
  ];

  it('asks for one of the keys that are set', async () => {
    await using server = await startTestServer({ env: { AMITY_API_KEYS: 'sk-one, sk-two' } });
    expect(await codeOf(await ask(server.url))).toEqual([401, 'invalid_api_key']);
    expect(await codeOf(await ask(server.url, {}, { authorization: 'Bearer sk-three' }))).toEqual([
      401,
      'invalid_api_key',
    ]);
    expect((await ask(server.url, {}, { authorization: 'Bearer sk-two' })).status).toBe(200);
  });

  it('is closed without keys where users come from another issuer', async () => {
    await using server = await startTestServer({ env: { JWT_SECRET: 's'.repeat(32), HOST: '127.0.0.1' } });
    expect(await codeOf(await ask(server.url))).toEqual([401, 'invalid_api_key']);
  });

  it('says that no model is loaded, and when to come again', async () => {
    await using server = await startTestServer({ env: { MODEL: 'missing' } });
    const answer = await ask(server.url);
    expect(answer.headers.get('retry-after')).toBe('10');
    expect(await codeOf(answer)).toEqual([503, 'model_unavailable']);
  });
});
