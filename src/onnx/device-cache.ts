import assert from 'node:assert/strict';
import { type InferenceSession, Tensor } from 'onnxruntime-node';
import {
  type CachedBatch,
  type ExportCache,
  type HeldRow,
  isWholeBatch,
  ReturnedBatches,
} from './export-cache.ts';
import { exportInputs, exportOutputs, regroupInputs } from './export-contract.ts';

/**
 * Batches in the memory of a GPU, which they never leave: what a run returns is what the next one is given. Rows that leave or are cut are
 * gathered there, by a graph of its own. Only rows of one batch can be gathered, which the candidates of a prompt are.
 */
export class DeviceCache implements ExportCache {
  readonly joins = false;
  /** Of half precision. */
  readonly rounding = 1e-2;
  readonly #session: InferenceSession;
  readonly #returned = new ReturnedBatches((tensor) => tensor.dispose());

  /** @param session of the graph that models/graphs/regroup.ts makes, with its outputs on the device */
  constructor(session: InferenceSession) {
    this.#session = session;
  }

  async gather(rows: readonly HeldRow[], length: number): Promise<CachedBatch> {
    const source = rows[0]?.batch;
    assert(source !== undefined && rows.every(({ batch }) => batch === source), 'rows are of one batch');
    if (isWholeBatch(rows, length)) return source;
    assert(source.length >= length, `a slot does not hold ${length} tokens`);
    const feeds: Record<string, Tensor> = {
      [regroupInputs.rows]: new Tensor(
        'int64',
        BigInt64Array.from(rows, ({ row }) => BigInt(row)),
        [rows.length],
      ),
      [regroupInputs.length]: new Tensor('int64', BigInt64Array.of(BigInt(length)), [1]),
    };
    source.keys.forEach((keys, layer) => {
      feeds[exportInputs.pastKey(layer)] = keys;
      feeds[exportInputs.pastValue(layer)] = source.values[layer]!;
    });
    const outputs = await this.#session.run(feeds);
    const part = (name: (layer: number) => string) =>
      source.keys.map((_, layer) => outputs[name(layer)] as Tensor);
    const batch = {
      rows: rows.length,
      length,
      keys: part(exportOutputs.presentKey),
      values: part(exportOutputs.presentValue),
    };
    this.adopt(batch);
    return batch;
  }

  adopt(batch: CachedBatch): void {
    this.#returned.add(batch);
  }

  keepOnly(held: ReadonlySet<CachedBatch>): void {
    this.#returned.keepOnly(held);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.keepOnly(new Set());
    await this.#session.release();
  }
}
