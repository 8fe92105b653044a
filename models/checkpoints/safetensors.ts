import { type FileHandle, open } from 'node:fs/promises';
import { z } from 'zod';
import type { TensorSource } from './checkpoint.ts';
import { readRange } from './file-range.ts';
import { bfloat16ToFloat32, createHalfTable, toFloat32, toUint16 } from './float-formats.ts';

const entrySchema = z.object({
  dtype: z.string(),
  shape: z.array(z.int().nonnegative()),
  data_offsets: z.tuple([z.int().nonnegative(), z.int().nonnegative()]),
});

/** The format's own limit. */
const HEADER_BYTES_MAX = 100_000_000;

interface Place {
  readonly dtype: string;
  readonly shape: readonly number[];
  /** Offset in the file. */
  readonly start: number;
  readonly length: number;
  readonly file: FileHandle;
  readonly path: string;
}

/**
 * Opens one or several safetensors files as one set of tensors. Headers are read at once, weights when they are
 * asked for.
 */
export async function openSafetensors(paths: readonly string[]): Promise<TensorSource & AsyncDisposable> {
  const files: FileHandle[] = [];
  const close = async () => {
    await Promise.all(files.map((file) => file.close()));
  };
  const places = new Map<string, Place>();
  try {
    for (const path of paths) {
      const file = await open(path);
      files.push(file);
      for (const [name, place] of await readHeader(file, path)) places.set(name, place);
    }
  } catch (error) {
    await close();
    throw error;
  }
  return { ...createSource(places), [Symbol.asyncDispose]: close };
}

async function readHeader(file: FileHandle, path: string): Promise<[string, Place][]> {
  const prefix = await readRange(file, { start: 0, length: 8, path });
  const length = Number(new DataView(prefix.buffer).getBigUint64(0, true));
  if (length > HEADER_BYTES_MAX) throw new Error(`${path} is not a safetensors file`);
  const text = new TextDecoder().decode(await readRange(file, { start: 8, length, path }));
  let header: Record<string, unknown>;
  try {
    header = z.record(z.string(), z.unknown()).parse(JSON.parse(text));
  } catch (cause) {
    throw new Error(`${path} is not a safetensors file: its header is not valid`, { cause });
  }
  return Object.entries(header)
    .filter(([name]) => name !== '__metadata__')
    .map(([name, raw]) => {
      const entry = entrySchema.safeParse(raw);
      if (!entry.success) throw new Error(`${path}: the header entry of ${name} is not valid`);
      const [from, to] = entry.data.data_offsets;
      const { dtype, shape } = entry.data;
      return [name, { dtype, shape, start: 8 + length + from, length: to - from, file, path }];
    });
}

function createSource(places: ReadonlyMap<string, Place>): TensorSource {
  const decoders = createDecoders();
  const find = (name: string) => {
    const place = places.get(name);
    if (place === undefined) throw new Error(`The checkpoint has no tensor ${name}`);
    return place;
  };
  return {
    has: (name) => places.has(name),
    dims: (name) => find(name).shape,
    async readRows(name, { from, to }) {
      const { dtype, shape, start, length, file, path } = find(name);
      const decoder = decoders.get(dtype);
      if (decoder === undefined) {
        throw new Error(
          `${path}: ${name} has the type ${dtype}; supported: ${[...decoders.keys()].join(', ')}`,
        );
      }
      const rowBytes = shape.slice(1).reduce((product, size) => product * size, decoder.bytes);
      if (rowBytes * (shape[0] ?? 1) !== length) throw new Error(`${path}: ${name} is damaged`);
      const bytes = await readRange(file, {
        start: start + from * rowBytes,
        length: (to - from) * rowBytes,
        path,
      });
      return decoder.decode(bytes);
    },
  };
}

interface Decoder {
  /** Of one value. */
  readonly bytes: number;
  decode(bytes: Uint8Array): Float32Array;
}

function createDecoders(): ReadonlyMap<string, Decoder> {
  const half = createHalfTable();
  return new Map([
    ['F32', { bytes: 4, decode: toFloat32 }],
    [
      'F16',
      { bytes: 2, decode: (raw: Uint8Array) => Float32Array.from(toUint16(raw), (bits) => half[bits]!) },
    ],
    ['BF16', { bytes: 2, decode: (raw: Uint8Array) => bfloat16ToFloat32(toUint16(raw)) }],
  ]);
}
