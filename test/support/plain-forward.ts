import { join } from 'node:path';
import { InferenceSession, Tensor } from 'onnxruntime-node';
import { graphInputs, graphOutputs } from '../../src/onnx/graph-contract.ts';
import type { Manifest } from '../../src/onnx/manifest.ts';

export interface PlainForward extends AsyncDisposable {
  /**
   * One pass over a whole text without any past: row r is what comes after token r. The plainest way to run a
   * graph, as a reference: no cache, no batch, no padding.
   */
  run(ids: readonly number[]): Promise<PlainResult>;
}

export interface PlainResult {
  /** [tokens, vocabulary]; null unless the graph was made with full logits. */
  readonly logits: Float32Array | null;
  /** [tokens, topK] */
  readonly topIds: BigInt64Array;
  readonly topValues: Float32Array;
  readonly logSumExp: Float32Array;
  /** Log-probability of the token that follows in `ids`; of token 0 for the last. */
  readonly targetLogProb: Float32Array;
}

export async function openPlainForward(directory: string, manifest: Manifest): Promise<PlainForward> {
  const session = await InferenceSession.create(join(directory, manifest.files.graph.path), {
    enableMemPattern: false,
  });
  const { layers, heads, kvHeads, headSize } = manifest.shape;
  const int64 = (values: readonly number[], dims: number[]) =>
    new Tensor('int64', BigInt64Array.from(values, BigInt), dims);
  return {
    async run(ids) {
      const length = ids.length;
      const order = ids.map((_, index) => index);
      const stride = length + 1;
      const visible = Float32Array.from({ length: length * stride }, (_, at) =>
        at % stride <= Math.floor(at / stride) && at % stride < length ? 0 : -1e9,
      );
      const feeds: Record<string, Tensor> = {
        [graphInputs.inputIds]: int64(ids, [1, length]),
        [graphInputs.positionIds]: int64(order, [1, length]),
        [graphInputs.bias]: new Tensor('float32', visible, [1, 1, 1, length, stride]),
        [graphInputs.logitRows]: int64(order, [length]),
        [graphInputs.targetIds]: int64([...ids.slice(1), 0], [length]),
      };
      // One hidden position stands for the prompt: the graph cannot look lines up in an empty tensor.
      const lines = Array.from({ length: heads * length }, (_, index) => index);
      feeds[graphInputs.toPrompts] = int64(lines, [kvHeads, lines.length / kvHeads]);
      feeds[graphInputs.fromPrompts] = int64(lines, [kvHeads, lines.length / kvHeads]);
      for (let layer = 0; layer < layers; layer++) {
        const none = new Float32Array(0);
        const hidden = new Float32Array(kvHeads * headSize);
        feeds[graphInputs.replyKey(layer)] = new Tensor('float32', none, [kvHeads, headSize, 0]);
        feeds[graphInputs.replyValue(layer)] = new Tensor('float32', none, [kvHeads, 0, headSize]);
        feeds[graphInputs.promptKey(layer)] = new Tensor('float32', hidden, [kvHeads, headSize, 1]);
        feeds[graphInputs.promptValue(layer)] = new Tensor('float32', hidden, [kvHeads, 1, headSize]);
      }
      const results = await session.run(feeds);
      const data = (name: string) => results[name]?.data;
      return {
        logits: (data(graphOutputs.logits) ?? null) as Float32Array | null,
        topIds: data(graphOutputs.topIds) as BigInt64Array,
        topValues: data(graphOutputs.topValues) as Float32Array,
        logSumExp: data(graphOutputs.logSumExp) as Float32Array,
        targetLogProb: data(graphOutputs.targetLogProb) as Float32Array,
      };
    },
    [Symbol.asyncDispose]: () => session.release(),
  };
}
