import { EXPORT_LAYOUT, exportInputs, exportOutputs } from '../../src/onnx/export-contract.ts';
import { bytesOf } from '../onnx/graph.ts';
import type { GraphBuilder } from '../onnx/graph-builder.ts';
import type { DecoderLayout, DecoderShape, OpenDecoder, Projection } from './decoder-layout.ts';

/** Smallest float32: what exporters put in place of scores that may not be seen. */
const HIDDEN = -3.4028234663852886e38;

/**
 * Attention as exporters write it, step by step as in the Python that they trace: the cache grows by concatenation, key/value heads are
 * repeated for their query heads, scores are masked by one tensor for all layers.
 */
export const layoutExport: DecoderLayout = exportLayout({ lastLogits: true });

/** @param options.lastLogits whether the logits of the last tokens alone can be asked for; older exports return those of all. */
export function exportLayout(options: { readonly lastLogits: boolean }): DecoderLayout {
  return { name: EXPORT_LAYOUT, begin: (graph, shape) => begin({ graph, shape }, options) };
}

function begin(
  { graph, shape }: { graph: GraphBuilder; shape: DecoderShape },
  { lastLogits }: { readonly lastLogits: boolean },
): OpenDecoder {
  declareInputs(graph, shape);
  const mask = causalMask(graph);
  return {
    inputIds: exportInputs.inputIds,
    positionIds: exportInputs.positionIds,
    attention: (layer, projected) => attention({ graph, shape, mask }, layer, projected),
    finish(hidden, { project }) {
      const rows = lastLogits ? cutToLast(graph, hidden) : hidden;
      graph.node('Identity', [project(rows)], { outputs: [exportOutputs.logits] });
      graph.output({ name: exportOutputs.logits, type: 'float32', dims: ['B', 'N', shape.vocabSize] });
      for (let layer = 0; layer < shape.layers; layer++) declareCache(graph, shape, layer);
    },
  };
}

/** hidden [B, S, hiddenSize] -> the rows of the last tokens; of all where 0 are asked for. */
function cutToLast(graph: GraphBuilder, hidden: string): string {
  graph.input({ name: exportInputs.logitsToKeep, type: 'int64', dims: [] });
  const last = graph.node('Neg', [exportInputs.logitsToKeep]);
  const starts = graph.node('Reshape', [last, graph.int64s([1])]);
  return graph.node('Slice', [hidden, starts, graph.int64s([2 ** 31]), graph.int64s([1])]);
}

function declareInputs(graph: GraphBuilder, { kvHeads, headSize, layers }: DecoderShape): void {
  graph.input({ name: exportInputs.inputIds, type: 'int64', dims: ['B', 'S'] });
  graph.input({ name: exportInputs.attentionMask, type: 'int64', dims: ['B', 'T'] });
  graph.input({ name: exportInputs.positionIds, type: 'int64', dims: ['B', 'S'] });
  for (let layer = 0; layer < layers; layer++) {
    for (const name of [exportInputs.pastKey(layer), exportInputs.pastValue(layer)]) {
      graph.input({ name, type: 'float32', dims: ['B', kvHeads, 'P', headSize] });
    }
  }
}

function declareCache(graph: GraphBuilder, { kvHeads, headSize }: DecoderShape, layer: number): void {
  for (const name of [exportOutputs.presentKey(layer), exportOutputs.presentValue(layer)]) {
    graph.output({ name, type: 'float32', dims: ['B', kvHeads, 'T', headSize] });
  }
}

/** float32 [B, 1, S, T], added to the scores: nothing sees what comes after it, or what the attention mask hides. */
function causalMask(graph: GraphBuilder): string {
  const length = (value: string) =>
    graph.node('Squeeze', [
      graph.node('Shape', [value], { attributes: { start: { int: 1 }, end: { int: 2 } } }),
    ]);
  const scalar = (name: string, values: BigInt64Array | Float32Array) =>
    graph.initializer({
      name,
      type: values instanceof Float32Array ? 'float32' : 'int64',
      dims: [],
      chunks: () => [bytesOf(values)],
    });
  const [zero, one] = [scalar('zero', BigInt64Array.of(0n)), scalar('one', BigInt64Array.of(1n))];
  const fresh = length(exportInputs.inputIds);
  const total = length(exportInputs.attentionMask);
  const keys = graph.node('Range', [zero, total, one]);
  const queries = graph.node('Range', [graph.node('Sub', [total, fresh]), total, one]);
  const isBefore = graph.node('LessOrEqual', [
    graph.node('Unsqueeze', [keys, graph.int64s([0])]),
    graph.node('Unsqueeze', [queries, graph.int64s([1])]),
  ]);
  const isShown = graph.node('Greater', [
    graph.node('Unsqueeze', [exportInputs.attentionMask, graph.int64s([1, 2])]),
    zero,
  ]);
  return graph.node('Where', [
    graph.node('And', [isBefore, isShown]),
    scalar('visible', Float32Array.of(0)),
    scalar('hidden', Float32Array.of(HIDDEN)),
  ]);
}

function attention(
  { graph, shape, mask }: { graph: GraphBuilder; shape: DecoderShape; mask: string },
  layer: number,
  { together, apart, rotate }: Projection,
): string {
  const { heads, kvHeads, headSize } = shape;
  const turned = (part: string) => (rotate === null ? part : rotate(part));
  const widths = [heads, kvHeads, kvHeads].map((count) => count * headSize);
  const [query = '', key = '', value = ''] = apart?.() ?? graph.split(together(), widths);
  const transpose = (data: string, perm: number[]) =>
    graph.node('Transpose', [data], { attributes: { perm: { ints: perm } } });
  const byHead = (data: string, count: number) =>
    transpose(graph.node('Reshape', [data, graph.int64s([0, 0, count, headSize])]), [0, 2, 1, 3]);
  const grown = (past: string, fresh: string, present: string) =>
    graph.node('Concat', [past, byHead(fresh, kvHeads)], {
      outputs: [present],
      attributes: { axis: { int: 2 } },
    });
  const repeated = (data: string) => (heads === kvHeads ? data : repeatHeads({ graph, shape }, data));
  const keys = repeated(grown(exportInputs.pastKey(layer), turned(key), exportOutputs.presentKey(layer)));
  const values = repeated(grown(exportInputs.pastValue(layer), value, exportOutputs.presentValue(layer)));
  const products = graph.node('MatMul', [byHead(turned(query), heads), transpose(keys, [0, 1, 3, 2])]);
  const scale = graph.initializer({
    name: 'attention.scale',
    type: 'float32',
    dims: [],
    chunks: () => [bytesOf(Float32Array.of(headSize ** -0.5))],
  });
  const scores = graph.node('Add', [graph.node('Mul', [products, scale]), mask]);
  const weights = graph.node('Softmax', [scores], { attributes: { axis: { int: -1 } } });
  const context = transpose(graph.node('MatMul', [weights, values]), [0, 2, 1, 3]);
  return graph.node('Reshape', [context, graph.int64s([0, 0, heads * headSize])]);
}

/** [B, H, T, D] -> [B, heads, T, D]: `repeat_kv`. */
function repeatHeads({ graph, shape }: { graph: GraphBuilder; shape: DecoderShape }, data: string): string {
  const { heads, kvHeads, headSize } = shape;
  const ones = graph.int64s([1, 1, heads / kvHeads, 1, 1]);
  const spread = graph.node('Expand', [graph.node('Unsqueeze', [data, graph.int64s([2])]), ones]);
  return graph.node('Reshape', [spread, graph.int64s([0, heads, -1, headSize])]);
}
