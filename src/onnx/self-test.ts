import type { InferenceSession, Tensor } from 'onnxruntime-node';
import type { DecodeRow } from '../engine/model-runner.ts';
import { DecodeFeeds, type Feeds } from './decode-feeds.ts';
import { graphOutputs } from './graph-contract.ts';
import { KvBuffers } from './kv-buffers.ts';
import type { PromptShape } from './prompt-feeds.ts';

/** Lengths of the prompts, and the rows of the test batch: replies of different lengths to them. */
const PROMPT_LENGTHS = [70, 21] as const;
const ROWS = [
  { prompt: 0, position: 3 },
  { prompt: 1, position: 17 },
  { prompt: 1, position: 9 },
] as const;
const PROBED_ROW = 1;

export const ROWS_DIFFER =
  'On this machine a row of a batch differs in its last bits from the same row alone: a reply may depend on who else is there.';

/**
 * Checks with a few tiny runs what the runner takes for granted of the runtime, none of which its documentation
 * promises: outputs are copies, inputs are left alone, and a row of a batch is the same row alone, to the last bit.
 *
 * @returns what does not hold but can be lived with, as sentences for the log.
 * @throws Error that names an assumption without which replies would be wrong.
 */
export async function verifyRuntime(
  session: InferenceSession,
  shape: PromptShape,
): Promise<readonly string[]> {
  const batch = createBatch(shape, ROWS);
  const probed = ROWS[PROBED_ROW];
  const alone = createBatch(shape, [{ ...probed, prompt: 0 }], [PROMPT_LENGTHS[probed.prompt]]);
  copySlot(batch.replies, PROBED_ROW, alone.replies);
  copySlot(batch.prompts, probed.prompt, alone.prompts);

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

interface Batch {
  readonly replies: KvBuffers;
  readonly prompts: KvBuffers;
  readonly feeds: Feeds;
}

function createBatch(
  shape: PromptShape,
  rows: readonly { prompt: number; position: number }[],
  promptLengths: readonly number[] = PROMPT_LENGTHS,
): Batch {
  const positions = Math.max(...PROMPT_LENGTHS);
  const replies = new KvBuffers(shape, { contents: 'replies', slots: rows.length, positions });
  const prompts = new KvBuffers(shape, { contents: 'prompts', slots: promptLengths.length, positions });
  prompts.prepare(promptLengths.map((length, slot) => ({ slot, position: 0, count: length })));
  // Any smooth numbers do: the two batches only have to agree.
  for (const array of [...replies.keys, ...replies.values, ...prompts.keys, ...prompts.values]) {
    array.set(array.map((_, i) => Math.sin(i)));
  }
  const decoding: DecodeRow[] = rows.map(({ prompt, position }, slot) => ({
    slot,
    position,
    token: position,
    prompt: { slot: prompt, length: promptLengths[prompt]! },
  }));
  return {
    replies,
    prompts,
    feeds: new DecodeFeeds({ replies, prompts, heads: shape.heads }).fill(decoding),
  };
}

/** Into slot 0; where the widths differ, what is in use keeps its place. */
function copySlot(from: KvBuffers, slot: number, to: KvBuffers): void {
  from.extract({ slot, position: 0, count: Math.min(from.width, to.width) }, to);
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
