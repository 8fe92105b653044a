import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type Manifest, readManifest, verifyFiles } from '../../../src/onnx/manifest.ts';
import { makeTinyModel } from '../../support/tiny-model.ts';

let directory: string;
let manifest: Manifest;
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'amity-manifest-'));
  manifest = await makeTinyModel(directory, { kind: 'counting' });
});
afterEach(() => rm(directory, { recursive: true, force: true }));

describe('reading a manifest', () => {
  it('gives back what the converter wrote', async () => {
    expect(await readManifest(directory)).toEqual(manifest);
  });

  it('names the directory and the command when there is no model', async () => {
    await rm(join(directory, 'manifest.json'));
    await expect(readManifest(directory)).rejects.toThrow(
      `No model in ${directory}: run "npx amity model pull ${basename(directory)}" to fetch it.`,
    );
  });

  it.each([
    ['cut off', (text: string) => text.slice(0, 40), 'is not valid JSON'],
    [
      'of another version',
      (text: string) => text.replace('"formatVersion": 1', '"formatVersion": 2'),
      'formatVersion',
    ],
    [
      'pointing out of its directory',
      (text: string) => text.replace('"model.onnx"', '"../model.onnx"'),
      'files.graph.path',
    ],
    ['without an end token', (text: string) => text.replace(/"eos": \[[^\]]*\]/, '"eos": []'), 'tokens.eos'],
  ])('refuses one that is %s, and names the file', async (_, change, reason) => {
    const path = join(directory, 'manifest.json');
    await writeFile(path, change(await readFile(path, 'utf8')));
    await expect(readManifest(directory)).rejects.toThrow(path);
    await expect(readManifest(directory)).rejects.toThrow(reason);
    await expect(readManifest(directory)).rejects.toThrow('amity model pull');
  });
});

describe('checking the files', () => {
  it('finds nothing wrong with an untouched model', async () => {
    expect(await verifyFiles(directory, manifest)).toEqual([]);
  });

  it('names every file that is missing, shorter or changed, and the command that mends it', async () => {
    await rm(join(directory, 'tokenizer.json'));
    await writeFile(join(directory, 'chat_template.jinja'), 'short');
    const data = await readFile(join(directory, 'model.onnx.data'));
    data[1000]! ^= 1;
    await writeFile(join(directory, 'model.onnx.data'), data);
    const problems = await verifyFiles(directory, manifest);
    expect(
      Object.fromEntries(problems.map(({ path, kind }) => [path.slice(directory.length + 1), kind])),
    ).toEqual({
      'tokenizer.json': 'missing',
      'chat_template.jinja': 'size',
      'model.onnx.data': 'checksum',
    });
    for (const { path, message } of problems) {
      expect(message).toContain(path);
      expect(message).toContain('npx amity model pull tiny-counting');
    }
  });

  it('looks at sizes only when checksums are switched off', async () => {
    const data = await readFile(join(directory, 'model.onnx.data'));
    data[1000]! ^= 1;
    await writeFile(join(directory, 'model.onnx.data'), data);
    expect(await verifyFiles(directory, manifest, { checksums: false })).toEqual([]);
  });
});
