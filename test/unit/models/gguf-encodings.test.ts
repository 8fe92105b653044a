/** Every encoding that can be read, against what llama.cpp's own Python package makes of the same bytes. */
import { readFile } from 'node:fs/promises';
import { GGMLQuantizationType } from '@huggingface/gguf';
import { expect, test } from 'vitest';
import { toFloat32 } from '../../../models/checkpoints/float-formats.ts';
import { createGgufEncodings } from '../../../models/checkpoints/gguf-encodings.ts';

/** Made by test/fixtures/make-gguf-blocks.py. */
const fixture = new URL('../../fixtures/gguf-blocks.json', import.meta.url);
const cases = JSON.parse(await readFile(fixture, 'utf8')) as readonly {
  encoding: keyof typeof GGMLQuantizationType;
  bytes: string;
  values: string;
}[];
const encodings = createGgufEncodings();

test.each(cases)('$encoding', ({ encoding, ...stored }) => {
  const bytes = new Uint8Array(Buffer.from(stored.bytes, 'base64'));
  const expected = toFloat32(new Uint8Array(Buffer.from(stored.values, 'base64')));
  const { blockBytes, blockValues, decode } = encodings.get(GGMLQuantizationType[encoding])!;
  expect((bytes.length / blockBytes) * blockValues).toBe(expected.length);
  const values = decode(bytes);
  const largest = Math.max(...expected.map(Math.abs));
  const farthest = Math.max(...values.map((value, i) => Math.abs(value - expected[i]!)));
  expect(farthest).toBeLessThanOrEqual(1e-6 * largest);
});

test('every encoding but plain float32 has such a case', () => {
  const tested = cases.map(({ encoding }) => GGMLQuantizationType[encoding]);
  expect([...encodings.keys()].filter((kind) => !tested.includes(kind))).toEqual([GGMLQuantizationType.F32]);
});

test('a block in the middle of a larger piece of memory reads the same', () => {
  const [{ encoding, bytes, values }] = cases.filter((one) => one.encoding === 'Q6_K') as [(typeof cases)[0]];
  const shifted = new Uint8Array(Buffer.concat([Buffer.from('.'), Buffer.from(bytes, 'base64')])).subarray(1);
  const decoded = encodings.get(GGMLQuantizationType[encoding])!.decode(shifted);
  expect(decoded[300]).toBeCloseTo(toFloat32(new Uint8Array(Buffer.from(values, 'base64')))[300]!, 5);
});
