import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { createModelCommand } from '../../../src/cli/model-command.ts';
import { makeTinyModel } from '../../support/tiny-model.ts';

const gguf = fileURLToPath(new URL('../../fixtures/llama-gguf/model.gguf', import.meta.url));

let models: string;
beforeEach(async () => {
  models = await mkdtemp(join(tmpdir(), 'amity-models-'));
});
afterEach(async () => {
  vi.restoreAllMocks();
  process.exitCode = undefined;
  await rm(models, { recursive: true, force: true });
});

/** Runs `amity model ...` in this process. */
async function run(...args: string[]) {
  const written = { stdout: '', stderr: '' };
  for (const name of ['stdout', 'stderr'] as const) {
    vi.spyOn(process[name], 'write').mockImplementation((text) => {
      written[name] += String(text);
      return true;
    });
  }
  const command = createModelCommand({ modelsDirectory: () => models });
  const error = await command.parseAsync(args, { from: 'user' }).then(
    () => null,
    (reason: Error & { exitCode?: number }) => reason,
  );
  const { exitCode } = process;
  vi.restoreAllMocks();
  return { ...written, error, exitCode };
}

describe('amity model', () => {
  it('lists what is here and what can be pulled', async () => {
    await makeTinyModel(join(models, 'tiny-counting'), { kind: 'counting' });
    await makeTinyModel(join(models, 'broken'), { kind: 'counting' });
    await writeFile(join(models, 'broken', 'manifest.json'), '{}');
    const { stdout, stderr } = await run('list', '--json');
    expect(JSON.parse(stdout)).toMatchObject([
      { name: 'broken', state: 'damaged', bytes: null },
      { name: 'smollm2-135m-instruct', state: 'not pulled', isDefault: true, licence: 'Apache-2.0' },
      { name: 'tiny-counting', state: 'present', isDefault: false, weights: 'nb8' },
    ]);
    expect(stderr).toBe('');
    expect((await run('list')).stdout).toMatch(/smollm2-135m-instruct \(default\) +not pulled/);
  });

  it('lists the registry when there is no models directory yet', async () => {
    await rm(models, { recursive: true });
    expect(JSON.parse((await run('list', '--json')).stdout)).toHaveLength(1);
  });

  it('shows the manifest', async () => {
    const manifest = await makeTinyModel(join(models, 'tiny-counting'), { kind: 'counting' });
    expect(JSON.parse((await run('info', 'tiny-counting', '--json')).stdout)).toEqual(manifest);
    expect((await run('info', 'tiny-counting')).stdout).toMatch(/licence +Apache-2\.0/);
  });

  it('verifies, and fails with the file and the remedy when one is damaged', async () => {
    const directory = join(models, 'tiny-counting');
    await makeTinyModel(directory, { kind: 'counting' });
    const whole = await run('verify', 'tiny-counting');
    expect(whole).toMatchObject({ error: null, exitCode: undefined, stderr: '' });
    await rm(join(directory, 'model.onnx.data'));
    const damaged = await run('verify', 'tiny-counting', '--json');
    expect(damaged.exitCode).toBe(1);
    expect(JSON.parse(damaged.stdout)).toMatchObject({ ok: false, problems: [{ kind: 'missing' }] });
    const { stderr } = await run('verify', 'tiny-counting');
    expect(stderr).toContain(join(directory, 'model.onnx.data'));
    expect(stderr).toContain('npx amity model pull tiny-counting');
  });

  it('converts a file of your own, with its progress on standard error only', async () => {
    const { stdout, stderr, error } = await run(
      'import',
      gguf,
      '--name',
      'mine',
      '--weights',
      'fp16',
      '--licence',
      'MIT',
    );
    expect(error).toBeNull();
    expect(stdout).toBe('');
    expect(stderr).toMatch(/Converting: 100 %/);
    expect(stderr).toMatch(/mine is ready/);
    const manifest = JSON.parse(await readFile(join(models, 'mine', 'manifest.json'), 'utf8'));
    expect(manifest).toMatchObject({ name: 'mine', weights: 'fp16', licence: 'MIT' });
  });

  it.each([
    [['pull', 'unknown'], 'no model "unknown" to pull; known: smollm2-135m-instruct'],
    [['import', gguf], "required option '--name <name>' not specified"],
    [['import', gguf, '--name', '../up'], 'is not a model name'],
    [['import', gguf, '--name', 'mine', '--weights', 'nb4'], 'Allowed choices are nb8, fp16, fp32'],
    [['info', '../up'], 'is not a model name'],
    [['verify'], "missing required argument 'name'"],
  ])('refuses %j with one sentence', async (args, sentence) => {
    const { stdout, stderr, error } = await run(...args);
    expect(error?.exitCode).toBeGreaterThan(0);
    expect(stderr).toContain(sentence);
    expect(stdout).toBe('');
  });

  it('names the directory and the command when a model is not there', async () => {
    const { error } = await run('info', 'absent');
    expect(error?.message).toContain(join(models, 'absent'));
    expect(error?.message).toContain('npx amity model pull');
  });
});
