import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import { createRankCommand } from '../../../src/cli/rank-command.ts';
import { loadConfig } from '../../../src/config/load.ts';
import { makeTinyModel } from '../../support/tiny-model.ts';

let directory: string;
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'amity-rank-'));
  await makeTinyModel(join(directory, 'counting'), { kind: 'counting' });
  await makeTinyModel(join(directory, 'random'), { kind: 'random' });
});
afterEach(() => vi.restoreAllMocks());
afterAll(() => rm(directory, { recursive: true, force: true }));

interface Run {
  readonly flags?: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  /** Instead of standard input. */
  readonly file?: string;
}

/** Runs `amity rank` in this process on these lines. */
async function rank(lines: readonly unknown[], { flags = [], env = {}, file }: Run = {}) {
  const text = lines.map((line) => (typeof line === 'string' ? line : JSON.stringify(line))).join('\n');
  const written = { stdout: '', stderr: '' };
  for (const name of ['stdout', 'stderr'] as const) {
    vi.spyOn(process[name], 'write').mockImplementation((chunk) => {
      written[name] += String(chunk);
      return true;
    });
  }
  const settings = { MODELS_DIR: directory, MODEL: 'counting', AMITY_THREADS: '1', ...env };
  const command = createRankCommand(() => loadConfig(settings, directory), Readable.from([text]));
  const error = await command
    .exitOverride()
    .parseAsync([file ?? '-', ...flags], { from: 'user' })
    .then(
      () => null,
      (reason: Error) => reason,
    );
  vi.restoreAllMocks();
  const answers = written.stdout
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as { id: unknown; scores: number[] } & Record<string, unknown>);
  return { answers, error, stderr: written.stderr };
}

const context = [{ role: 'user', text: 'hello' }] as const;
const likely = 'abcdefghijklmnopqrstuvwxyz';

describe('amity rank', () => {
  it('answers each line in its order, with a score for each candidate', async () => {
    const { answers, error, stderr } = await rank([
      { id: 'one', context, candidates: [likely, 'zyx wvu', 'b'] },
      { id: 2, context: [], candidates: [] },
      { id: 'three', context: [{ role: 'companion', text: 'Hi.' }], candidates: ['abc'], more: true },
    ]);
    expect(error).toBeNull();
    expect(answers.map(({ id, scores }) => [id, scores.length])).toEqual([
      ['one', 3],
      [2, 0],
      ['three', 1],
    ]);
    expect(Object.keys(answers[0]!)).toEqual(['id', 'scores']);
    expect(stderr).toBe('');
  });

  it('measures the likelihood under the prompt that production would make, end token included', async () => {
    const { answers } = await rank([{ id: 1, context, candidates: [likely, 'za', ` ${likely}\n`] }], {
      flags: ['--features'],
    });
    const features = answers[0]?.['features'] as { logLikelihood: number }[];
    expect(features[0]?.logLikelihood).toBeGreaterThan(-1e-6);
    expect(features[1]?.logLikelihood).toBe(-10);
    expect(features[2]).toEqual(features[0]);
    expect(answers[0]?.['ranker']).toBe('features@3');
  });

  it('judges a line of a transcript as one', async () => {
    const env = { AMITY_TEMPLATE: 'transcript', MODEL: 'random' };
    const { answers, error } = await rank([{ id: 1, context, candidates: ['well', 'then'] }], { env });
    expect(error).toBeNull();
    expect(answers[0]?.scores).toHaveLength(2);
  });

  it('ranks filtered candidates below all others, and says why', async () => {
    const again = 'I like to hear about your day, tell me more.';
    const dialog = [{ role: 'companion', text: again }, ...context];
    const candidates = [again, 'User: hm', '', 'no '.repeat(20), 'q'];
    const { answers } = await rank([{ id: 1, context: dialog, candidates }], { flags: ['--features'] });
    expect(answers[0]?.['filterReasons']).toEqual(['repeats_own_turn', 'role_leak', 'empty', 'loop', null]);
    const [best, ...filtered] = [...(answers[0]?.scores ?? [])].reverse();
    expect(Math.max(...filtered)).toBeLessThan(best ?? Number.NEGATIVE_INFINITY);
  });

  it('scores a candidate alike whatever stands beside it', async () => {
    const env = { MODEL: 'random' };
    const { answers } = await rank(
      [
        { id: 1, context, candidates: ['some words', 'and others'] },
        { id: 2, context, candidates: ['and others', 'some words', 'third'] },
      ],
      { env },
    );
    expect(answers[1]?.scores.slice(0, 2)).toEqual(answers[0]?.scores.toReversed());
  });

  it('takes texts that are longer than the model can hold', async () => {
    const long = 'x'.repeat(8000);
    const line = { id: 1, context: [{ role: 'user', text: long }], candidates: [long, '\ud800'] };
    const { answers, error } = await rank([line]);
    expect(error).toBeNull();
    expect(answers[0]?.scores.every(Number.isFinite)).toBe(true);
  });

  it('skips empty lines and a byte order mark, and needs no model for nothing', async () => {
    const { answers } = await rank(['\uFEFF{"id":1,"context":[],"candidates":[]}', '', '  ', '']);
    expect(answers).toEqual([{ id: 1, scores: [] }]);
    expect(await rank([], { env: { MODEL: 'absent' } })).toMatchObject({ answers: [], error: null });
  });

  it.each([
    ['not json', /^standard input, line 2: not JSON/],
    ['[1]', /line 2: not a JSON object/],
    [{ context, candidates: [] }, /line 2: "id" has to be a string or a number/],
    [{ id: 1, candidates: [] }, /line 2: "context" has to be a list of turns/],
    [
      { id: 1, context: [...context, { role: 'assistant', text: 'a' }], candidates: [] },
      /context\[1\] has to be/,
    ],
    [{ id: 1, context, candidates: 'text' }, /"candidates" has to be a list of strings/],
    [{ id: 1, context, candidates: [3] }, /"candidates" has to be a list of strings/],
  ])('ends at the bad line %j, and says what is wrong with it', async (line, problem) => {
    const good = { id: 'good', context, candidates: ['a'] };
    const { answers, error } = await rank([good, line, good]);
    expect(error?.message).toMatch(problem);
    expect(answers.map(({ id }) => id)).toEqual(['good']);
  });

  it('reads a file, and names one that cannot be read', async () => {
    const file = join(directory, 'lines.jsonl');
    await writeFile(file, '{"id":1,"context":[],"candidates":["a"]}\r\nx');
    const { answers, error } = await rank([], { file });
    expect(answers).toHaveLength(1);
    expect(error?.message).toContain('lines.jsonl, line 2: not JSON');
    expect((await rank([], { file: join(directory, 'none') })).error?.message).toMatch(/none cannot be read/);
    expect((await rank([], { file: directory })).error).not.toBeNull();
  });

  it('says how to get a model that is not there', async () => {
    const { error } = await rank([{ id: 1, context, candidates: ['a'] }], { env: { MODEL: 'absent' } });
    expect(error).toMatchObject({ code: 'model_unavailable' });
    expect(error?.message).toMatch(/run "npx amity model pull absent"/);
  });
});
