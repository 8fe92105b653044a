/** The cache keeps every live position through growing, shrinking, copying and extraction. */
import { describe, expect, test } from 'vitest';
import { KvBuffers, type KvShape, replyScoresFor, widthFor } from '../../../src/onnx/kv-buffers.ts';

const shape: KvShape = { layers: 2, kvHeads: 3, headSize: 4 };
const perLayer = shape.kvHeads * shape.headSize;

test('the cache of replies is hardly wider than the longest of them', () => {
  const widths = [0, 1, 16, 17, 64, 127, 600].map((positions) => widthFor('replies', positions));
  expect(widths).toEqual([16, 16, 16, 32, 64, 128, 608]);
});

test('the scores of a reply and its new token together fill whole turns of the kernels', () => {
  expect([16, 48, 63, 64, 112, 128].map(replyScoresFor)).toEqual([63, 63, 63, 127, 127, 191]);
});

test('the width of a prompt fills whole turns by itself', () => {
  const widths = [0, 1, 64, 65, 128, 600].map((positions) => widthFor('prompts', positions));
  expect(widths).toEqual([64, 64, 64, 128, 128, 640]);
});

describe('positions survive', () => {
  test('growing, by a neighbour that is long', () => {
    const kv = new KvBuffers(shape, { contents: 'replies', slots: 3, positions: 400 });
    append(kv, [0, 0, 50]);
    append(kv, [2, 0, 60]);
    append(kv, [1, 0, 300]);
    expect(kv.width).toBe(304);
    for (const [slot, length] of [
      [0, 50],
      [1, 300],
      [2, 60],
    ] as const)
      expectSlot(kv, slot, { length: length });
  });

  test('shrinking, once the long one has left and the surplus has cost as much as repacking', () => {
    const kv = new KvBuffers(shape, { contents: 'replies', slots: 2, positions: 400 });
    append(kv, [0, 0, 100]);
    append(kv, [1, 0, 200]);
    append(kv, [1, 0, 20]);
    expect(kv.width).toBe(208);
    let passes = 0;
    for (let position = 100; kv.width > 128 && passes < 20; position += 1, passes += 1)
      append(kv, [0, position, 1]);
    expect(kv.width).toBe(112);
    expect(passes).toBeGreaterThan(0);
    expectSlot(kv, 0, { length: 100 + passes });
    expectSlot(kv, 1, { length: 20 });
  });

  test('one by one, at every width on the way', () => {
    const kv = new KvBuffers(shape, { contents: 'replies', slots: 2, positions: 200 });
    append(kv, [1, 0, 5]);
    for (let position = 0; position < 200; position += 1) {
      append(kv, [0, position, 1]);
      if (position % 20 === 19) append(kv, [1, 0, 5]);
    }
    expect(kv.width).toBe(widthFor('replies', 200));
    expectSlot(kv, 0, { length: 200 });
    expectSlot(kv, 1, { length: 5 });
  });

  test('copying, and nothing of the other slot is left within the length', () => {
    const kv = new KvBuffers(shape, { contents: 'replies', slots: 2, positions: 100 });
    append(kv, [0, 0, 40]);
    append(kv, [1, 0, 90]);
    kv.copy(0, 1, 40);
    expectSlot(kv, 0, { length: 40 });
    expectSlot(kv, 1, { length: 40, writtenAs: 0 });
  });

  test('extraction to another width', () => {
    const kv = new KvBuffers(shape, { contents: 'replies', slots: 2, positions: 100 });
    append(kv, [1, 0, 70]);
    const make = () => Array.from({ length: shape.layers }, () => new Float32Array(perLayer * 90));
    const target = { shape, keys: make(), values: make(), width: 90 };
    kv.extract({ slot: 1, position: 0, count: 70 }, target);
    expect(read(target.keys, target.values, { width: 90, slot: 0, length: 70 })).toEqual(expected(1, 70));
  });
});

describe('what would read garbage is refused', () => {
  test('a row that begins past what its slot holds', () => {
    const kv = new KvBuffers(shape, { contents: 'replies', slots: 2, positions: 100 });
    append(kv, [0, 0, 10]);
    expect(() => kv.prepare([{ slot: 0, position: 11, count: 1 }])).toThrow(/does not hold 11/);
    expect(() => kv.copy(1, 0, 1)).toThrow(/does not hold 1/);
    expect(() => kv.prepare([{ slot: 2, position: 0, count: 1 }])).toThrow(/does not exist/);
  });

  test('a slot that took no part in 64 passes', () => {
    const kv = new KvBuffers(shape, { contents: 'replies', slots: 2, positions: 100 });
    append(kv, [1, 0, 10]);
    for (let pass = 0; pass < 63; pass += 1) append(kv, [0, 0, 2]);
    append(kv, [1, 10, 1]);
    expectSlot(kv, 1, { length: 11 });
    for (let pass = 0; pass < 64; pass += 1) append(kv, [0, 0, 2]);
    expect(() => kv.prepare([{ slot: 1, position: 11, count: 1 }])).toThrow(/does not hold 11/);
  });
});

/** Every number of the cache says where it belongs. */
function number(at: { slot: number; layer: number; part: 0 | 1; line: number; position: number }): number {
  return ((((at.slot * 2 + at.layer) * 2 + at.part) * perLayer + at.line) * 512 + at.position) / 4;
}

/** @param at slot, position and count of the new tokens. */
function append(kv: KvBuffers, at: readonly [slot: number, position: number, count: number]): void {
  const [slot, position, count] = at;
  kv.prepare([{ slot, position, count }]);
  const perToken = shape.layers * 2 * perLayer;
  const offset = 7;
  const source = new Float32Array(offset + count * perToken);
  let i = offset;
  for (let head = 0; head < shape.kvHeads; head += 1) {
    for (let token = 0; token < count; token += 1) {
      for (let layer = 0; layer < shape.layers; layer += 1) {
        for (const part of [0, 1] as const) {
          for (let line = head * shape.headSize; line < (head + 1) * shape.headSize; line += 1) {
            source[i++] = number({ slot, layer, part, line, position: position + token });
          }
        }
      }
    }
  }
  kv.write(source, offset, { slot, position, count });
}

function read(
  keys: readonly Float32Array[],
  values: readonly Float32Array[],
  { width, slot, length }: { width: number; slot: number; length: number },
): number[] {
  const numbers: number[] = [];
  for (let layer = 0; layer < shape.layers; layer += 1) {
    for (let line = 0; line < perLayer; line += 1) {
      const head = Math.floor(line / shape.headSize);
      for (let position = 0; position < length; position += 1) {
        numbers.push(keys[layer]![(slot * perLayer + line) * width + position]!);
        const row = (slot * shape.kvHeads + head) * width + position;
        numbers.push(values[layer]![row * shape.headSize + (line % shape.headSize)]!);
      }
    }
  }
  return numbers;
}

function expected(slot: number, length: number): number[] {
  const numbers: number[] = [];
  for (let layer = 0; layer < shape.layers; layer += 1) {
    for (let line = 0; line < perLayer; line += 1) {
      for (let position = 0; position < length; position += 1) {
        for (const part of [0, 1] as const) numbers.push(number({ slot, layer, part, line, position }));
      }
    }
  }
  return numbers;
}

function expectSlot(
  kv: KvBuffers,
  slot: number,
  { length, writtenAs = slot }: { length: number; writtenAs?: number },
): void {
  expect(read(kv.keys, kv.values, { width: kv.width, slot, length })).toEqual(expected(writtenAs, length));
}
