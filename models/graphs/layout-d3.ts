import { GRAPH_LAYOUT, GRAPH_TOP_K, graphInputs, graphOutputs } from '../../src/onnx/graph-contract.ts';
import { type GraphBuilder, MICROSOFT } from '../onnx/graph-builder.ts';
import type { DecoderLayout, DecoderShape, OpenDecoder } from './decoder-layout.ts';

/** The layout of `src/onnx/graph-contract.ts`: the past is read only, and only new keys and values come back. */
export const layoutD3: DecoderLayout = {
  name: GRAPH_LAYOUT,
  begin(graph, shape) {
    const axes = declareInputs(graph, shape);
    const sizes = shapeValues(graph, shape);
    const newKv: string[] = [];
    return {
      inputIds: graphInputs.inputIds,
      positionIds: graphInputs.positionIds,
      attention(layer, projected) {
        newKv.push(projected.key, projected.value);
        return attention({ graph, shape, sizes }, layer, projected);
      },
      finish(hidden, { project, fullLogits }) {
        returnNewKv(graph, newKv, axes.newKvWidth);
        returnLogits({ graph, shape }, hidden, { project, fullLogits });
      },
    } satisfies OpenDecoder;
  },
};

function declareInputs(graph: GraphBuilder, shape: DecoderShape): { newKvWidth: number } {
  const { kvHeads, headSize, layers } = shape;
  graph.input({ name: graphInputs.inputIds, type: 'int64', dims: ['B', 'S'] });
  graph.input({ name: graphInputs.positionIds, type: 'int64', dims: ['B', 'S'] });
  graph.input({ name: graphInputs.bias, type: 'float32', dims: ['B', 1, 1, 'S', 'S+M'] });
  graph.input({ name: graphInputs.logitRows, type: 'int64', dims: ['N'] });
  graph.input({ name: graphInputs.targetIds, type: 'int64', dims: ['N'] });
  for (let layer = 0; layer < layers; layer++) {
    graph.input({
      name: graphInputs.pastKey(layer),
      type: 'float32',
      dims: ['B', kvHeads, headSize, 'M'],
    });
    graph.input({
      name: graphInputs.pastValue(layer),
      type: 'float32',
      dims: ['B', kvHeads, 'M', headSize],
    });
  }
  return { newKvWidth: layers * 2 * kvHeads * headSize };
}

type Sizes = ReturnType<typeof shapeValues>;

/** Shapes that depend on the run, made once for all layers. H = key/value heads, G = query heads to each. */
function shapeValues(graph: GraphBuilder, { heads, kvHeads, headSize }: DecoderShape) {
  const group = heads / kvHeads;
  const dimension = (value: string, axis: number) =>
    graph.node('Shape', [value], { attributes: { start: { int: axis }, end: { int: axis + 1 } } });
  const join = (...parts: string[]) => graph.node('Concat', parts, { attributes: { axis: { int: 0 } } });
  const rows = dimension(graphInputs.inputIds, 0);
  const fresh = dimension(graphInputs.inputIds, 1);
  const past = dimension(graphInputs.pastValue(0), 2);
  const headsAndGroup = graph.int64s([kvHeads, group]);
  return {
    /** [S, M] */
    freshAndPast: join(fresh, past),
    /** [B, H, G*S, D] */
    queryByHead: join(rows, graph.int64s([kvHeads, -1, headSize])),
    /** [B, H, G, S, S+M] */
    scoresByGroup: join(rows, headsAndGroup, fresh, graph.int64s([-1])),
    /** [B, H, G*S, S+M] */
    scoresByHead: join(rows, graph.int64s([kvHeads, -1]), graph.node('Add', [fresh, past])),
    /** [B, H, G, S, D] */
    contextByGroup: join(rows, headsAndGroup, fresh, graph.int64s([headSize])),
  };
}

function attention(
  { graph, shape, sizes }: { graph: GraphBuilder; shape: DecoderShape; sizes: Sizes },
  layer: number,
  { query, key, value }: { query: string; key: string; value: string },
): string {
  const { heads, kvHeads, headSize } = shape;
  const reshape = (data: string, to: string) => graph.node('Reshape', [data, to]);
  const transpose = (data: string, perm: number[]) =>
    graph.node('Transpose', [data], { attributes: { perm: { ints: perm } } });
  const byHead = (data: string) =>
    transpose(reshape(data, graph.int64s([0, 0, kvHeads, headSize])), [0, 2, 1, 3]);
  const scores = (keys: string, transposed: boolean) =>
    graph.node('FusedMatMul', [queries, keys], {
      domain: MICROSOFT,
      attributes: { transB: { int: transposed ? 0 : 1 }, alpha: { float: headSize ** -0.5 } },
    });

  const grouped = reshape(query, graph.int64s([0, 0, kvHeads, heads / kvHeads, headSize]));
  const queries = reshape(transpose(grouped, [0, 2, 3, 1, 4]), sizes.queryByHead);
  const values = byHead(value);
  const all = graph.node('Concat', [scores(byHead(key), false), scores(graphInputs.pastKey(layer), true)], {
    attributes: { axis: { int: -1 } },
  });
  const masked = graph.node('Add', [reshape(all, sizes.scoresByGroup), graphInputs.bias]);
  const weights = graph.node('Softmax', [masked], { attributes: { axis: { int: -1 } } });
  const [fresh = '', past = ''] = graph.split(reshape(weights, sizes.scoresByHead), {
    name: sizes.freshAndPast,
    count: 2,
  });
  const context = graph.node('Add', [
    graph.node('MatMul', [fresh, values]),
    graph.node('MatMul', [past, graphInputs.pastValue(layer)]),
  ]);
  const merged = transpose(reshape(context, sizes.contextByGroup), [0, 3, 1, 2, 4]);
  return reshape(merged, graph.int64s([0, 0, heads * headSize]));
}

function returnNewKv(graph: GraphBuilder, parts: readonly string[], width: number): void {
  graph.node('Concat', parts, { outputs: [graphOutputs.newKv], attributes: { axis: { int: -1 } } });
  graph.output({ name: graphOutputs.newKv, type: 'float32', dims: ['B', 'S', width] });
}

function returnLogits(
  { graph, shape }: { graph: GraphBuilder; shape: DecoderShape },
  hidden: string,
  { project, fullLogits }: { project: (rows: string) => string; fullLogits: boolean },
): void {
  const flat = graph.node('Reshape', [hidden, graph.int64s([-1, shape.hiddenSize])]);
  const rows = graph.node('Gather', [flat, graphInputs.logitRows], { attributes: { axis: { int: 0 } } });
  const logits = project(rows);
  graph.node('TopK', [logits, graph.int64s([GRAPH_TOP_K])], {
    outputs: [graphOutputs.topValues, graphOutputs.topIds],
    attributes: { axis: { int: -1 }, largest: { int: 1 }, sorted: { int: 1 } },
  });
  returnProbabilities(graph, logits);
  graph.output({ name: graphOutputs.topValues, type: 'float32', dims: ['N', GRAPH_TOP_K] });
  graph.output({ name: graphOutputs.topIds, type: 'int64', dims: ['N', GRAPH_TOP_K] });
  graph.output({ name: graphOutputs.logSumExp, type: 'float32', dims: ['N'] });
  graph.output({ name: graphOutputs.targetLogProb, type: 'float32', dims: ['N'] });
  if (fullLogits) {
    graph.node('Identity', [logits], { outputs: [graphOutputs.logits] });
    graph.output({ name: graphOutputs.logits, type: 'float32', dims: ['N', shape.vocabSize] });
  }
}

/**
 * log sum exp = logit - log-probability, of any token; the most likely one loses the fewest digits. So one
 * LogSoftmax, which subtracts the maximum first, yields both outputs.
 */
function returnProbabilities(graph: GraphBuilder, logits: string): void {
  const axis = { axis: { int: -1 } };
  const lastAxis = graph.int64s([-1]);
  const first = (data: string) =>
    graph.node('Slice', [data, graph.int64s([0]), graph.int64s([1]), graph.int64s([1])]);
  const logProbs = graph.node('LogSoftmax', [logits], { attributes: axis });
  const targets = graph.node('Unsqueeze', [graphInputs.targetIds, lastAxis]);
  const best = graph.node('GatherElements', [logProbs, first(graphOutputs.topIds)], { attributes: axis });
  const target = graph.node('GatherElements', [logProbs, targets], { attributes: axis });
  const logSumExp = graph.node('Sub', [first(graphOutputs.topValues), best]);
  graph.node('Squeeze', [logSumExp, lastAxis], { outputs: [graphOutputs.logSumExp] });
  graph.node('Squeeze', [target, lastAxis], { outputs: [graphOutputs.targetLogProb] });
}
