/** What the main thread opens of a model: everything but the session; trouble is named with its remedy. */
import { appendFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { openModel } from '../../../src/onnx/open-model.ts';
import { makeTinyDirectory } from '../../support/tiny-runner.ts';

test('a model comes with its tokenizer and its chat template', async () => {
  await using directory = await makeTinyDirectory({ kind: 'counting' });
  const { manifest, tokenizer, chatTemplate } = await openModel(directory.path, { checksums: true });
  expect(manifest.name).toBe('tiny-counting');
  expect(chatTemplate?.id).toBe('chat@1');
  const prompt = chatTemplate!.render([{ role: 'user', text: 'hello' }]);
  expect(tokenizer.encode(prompt)).toHaveLength(tokenizer.countTokens(prompt));
});

test.each(['model.onnx', 'model.onnx.data', 'tokenizer.json', 'chat_template.jinja'])(
  'without %s it is not opened, and the sentence says how to mend it',
  async (file) => {
    await using directory = await makeTinyDirectory({ kind: 'counting' });
    await rm(join(directory.path, file));
    await expect(openModel(directory.path)).rejects.toMatchObject({
      code: 'model_unavailable',
      message: expect.stringMatching(new RegExp(`${file.replace('.', '\\.')} is missing.*amity model pull`)),
    });
  },
);

test('a size that differs is noticed without checksums, a content that differs with them', async () => {
  await using directory = await makeTinyDirectory({ kind: 'counting' });
  const path = join(directory.path, 'model.onnx.data');
  await writeFile(path, '\u0001', { flag: 'r+' });
  await expect(openModel(directory.path)).resolves.toBeDefined();
  await expect(openModel(directory.path, { checksums: true })).rejects.toMatchObject({
    code: 'model_unavailable',
  });
  await appendFile(path, 'x');
  await expect(openModel(directory.path)).rejects.toMatchObject({ code: 'model_unavailable' });
});

test('a directory without a model is named', async () => {
  await expect(openModel('/nowhere/at-all')).rejects.toMatchObject({
    code: 'model_unavailable',
    message: expect.stringContaining('/nowhere/at-all'),
  });
});
