import type { InferenceSession, Tensor } from 'onnxruntime-node';
import { DecodeFeeds, type Feeds } from './decode-feeds.ts';
import { graphOutputs } from './graph-contract.ts';
import { KvBuffers, type KvShape } from './kv-buffers.ts';

/** Rows of the test batch, of different lengths. */
const PAST_LENGTHS = [3, 17, 9] as const;
const PROBED_ROW = 1;

const ROWS_DIFFER =
  'On this machine a row of a batch differs in its last bits from the same row alone: a reply may depend on who else is there.';

/**
 * Checks with a few tiny runs what the runner takes for granted of the runtime, none of which its documentation
 * promises: outputs are copies, inputs are left alone, and a row of a batch is the same row alone, to the last bit.
 *
 * @returns what does not hold but can be lived with, as sentences for the log.
 * @throws Error that names an assumption without which replies would be wrong.
 */
export async function verifyRuntime(session: InferenceSession, shape: KvShape): Promise<readonly string[]> {
  const positions = Math.max(...PAST_LENGTHS) + 1;
  const batch = createBatch(shape, [...PAST_LENGTHS], positions);
  const alone = createBatch(shape, [PAST_LENGTHS[PROBED_ROW]], positions);
  copyRow(batch.kv, PROBED_ROW, alone.kv);

  const inputs = snapshot(batch.feeds);
  const first = await session.run(batch.feeds);
  if (!sameArrays(inputs, snapshot(batch.feeds))) {
    throw new Error('The ONNX runtime writes into its inputs; this version cannot be used.');
  }
  const kept = snapshot(first);
  const single = await session.run(alone.feeds);
  await session.run(alone.feeds);
  if (!sameArrays(kept, snapshot(first))) {
    throw new Error('The ONNX runtime reuses its outputs; this version cannot be used.');
  }
  for (const name of [graphOutputs.topValues, graphOutputs.newKv]) {
    const rows = bytesOf(first[name] as Tensor);
    const row = bytesOf(single[name] as Tensor);
    const inBatch = rows.subarray(PROBED_ROW * row.length, (PROBED_ROW + 1) * row.length);
    if (!Buffer.from(row).equals(inBatch)) return [ROWS_DIFFER];
  }
  return [];
}

function createBatch(
  shape: KvShape,
  lengths: readonly number[],
  positions: number,
): { kv: KvBuffers; feeds: Feeds } {
  const kv = new KvBuffers(shape, { slots: lengths.length, positions });
  const rows = lengths.map((position, slot) => ({
    slot,
    position,
    tokens: Int32Array.of(position),
    wantsLogits: true,
  }));
  // Any smooth numbers do: the two batches only have to agree.
  for (const array of [...kv.keys, ...kv.values]) array.set(array.map((_, i) => Math.sin(i)));
  return { kv, feeds: new DecodeFeeds(kv).fill(rows) };
}

function copyRow(from: KvBuffers, row: number, to: KvBuffers): void {
  for (const part of ['keys', 'values'] as const) {
    to[part].forEach((target, layer) => {
      target.set(from[part][layer]!.subarray(row * target.length, (row + 1) * target.length));
    });
  }
}

function snapshot(tensors: InferenceSession.OnnxValueMapType): Map<string, Uint8Array> {
  return new Map(
    Object.entries(tensors).map(([name, tensor]) => [name, bytesOf(tensor as Tensor).slice()] as const),
  );
}

function sameArrays(left: Map<string, Uint8Array>, right: Map<string, Uint8Array>): boolean {
  return [...left].every(([name, bytes]) => {
    const other = right.get(name);
    return other !== undefined && Buffer.from(bytes.buffer).equals(other);
  });
}

function bytesOf(tensor: Tensor): Uint8Array {
  const data = tensor.data as Float32Array;
  return new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
}
