import { GRAPH_LAYOUT, GRAPH_TOP_K, graphInputs, graphOutputs } from '../../src/onnx/graph-contract.ts';
import { bytesOf } from '../onnx/graph.ts';
import { type GraphBuilder, MICROSOFT } from '../onnx/graph-builder.ts';
import type { DecoderLayout, DecoderShape, OpenDecoder } from './decoder-layout.ts';

/** The layout of `src/onnx/graph-contract.ts`: the past is read only, a prompt is there once for all its rows. */
export const layoutD5: DecoderLayout = {
  name: GRAPH_LAYOUT,
  begin(graph, shape) {
    declareInputs(graph, shape);
    const sizes = shapeValues(graph, shape);
    const common = {
      graph,
      shape,
      sizes,
      lines: numberLines(graph, shape, sizes),
      bias: spreadBias(graph, sizes),
      room: fillRoom(graph, sizes),
    };
    const newKv: string[] = [];
    return {
      inputIds: graphInputs.inputIds,
      positionIds: graphInputs.positionIds,
      attention(layer, { together, rotate }) {
        const projected = together();
        const asLines = (value: string) => graph.node('Reshape', [value, graph.int64s([-1, shape.headSize])]);
        const turned = asLines(rotate === null ? projected : rotate(projected));
        const plain = rotate === null ? turned : asLines(projected);
        const key = pick(graph, turned, common.lines.key);
        const value = pick(graph, plain, common.lines.value);
        newKv.push(key, value);
        return attention(common, layer, { turned, key, value });
      },
      finish(hidden, { project, fullLogits }) {
        returnNewKv(graph, newKv, shape);
        returnLogits({ graph, shape }, hidden, { project, fullLogits });
      },
    } satisfies OpenDecoder;
  },
};

function declareInputs(graph: GraphBuilder, { heads, kvHeads, headSize, layers }: DecoderShape): void {
  const ints = (name: string, dims: (string | number)[]) => graph.input({ name, type: 'int64', dims });
  const floats = (name: string, dims: (string | number)[]) => graph.input({ name, type: 'float32', dims });
  const lines = heads / kvHeads === 1 ? 'S' : `${heads / kvHeads}*S`;
  ints(graphInputs.inputIds, ['B', 'S']);
  ints(graphInputs.positionIds, ['B', 'S']);
  floats(graphInputs.bias, ['B', 1, 1, 'S', 'W']);
  ints(graphInputs.logitRows, ['N']);
  ints(graphInputs.targetIds, ['N']);
  ints(graphInputs.toPrompts, [`R*${kvHeads}`, `C*${lines}`]);
  ints(graphInputs.fromPrompts, [`B*${kvHeads}`, lines]);
  for (let layer = 0; layer < layers; layer++) {
    floats(graphInputs.replyKey(layer), [`B*${kvHeads}`, headSize, 'M']);
    floats(graphInputs.replyValue(layer), [`B*${kvHeads}`, 'M', headSize]);
    floats(graphInputs.promptKey(layer), [`R*${kvHeads}`, headSize, 'P']);
    floats(graphInputs.promptValue(layer), [`R*${kvHeads}`, 'P', headSize]);
  }
}

type Sizes = ReturnType<typeof shapeValues>;

/** Shapes that depend on the run, made once for all layers. Letters as in graph-contract.ts. */
function shapeValues(graph: GraphBuilder, { heads, kvHeads, headSize }: DecoderShape) {
  const group = heads / kvHeads;
  const dimension = (value: string, axis: number) =>
    graph.node('Shape', [value], { attributes: { start: { int: axis }, end: { int: axis + 1 } } });
  const join = (...parts: string[]) => graph.node('Concat', parts, { attributes: { axis: { int: 0 } } });
  const rows = dimension(graphInputs.inputIds, 0);
  const fresh = dimension(graphInputs.inputIds, 1);
  const reply = dimension(graphInputs.replyValue(0), 1);
  const prompt = dimension(graphInputs.promptValue(0), 1);
  const used = graph.node('ReduceSum', [join(fresh, reply, prompt), graph.int64s([0])]);
  const room = graph.node('Sub', [dimension(graphInputs.bias, 4), used]);
  const lines = dimension(graphInputs.fromPrompts, 1);
  const rowHeads = dimension(graphInputs.fromPrompts, 0);
  return {
    /** [S, M, the room behind the reply, P] */
    parts: join(fresh, reply, room, prompt),
    /** [B * H, G * S, the room behind the reply] */
    room: join(rowHeads, lines, room),
    /** [-1, P] */
    promptLines: join(graph.int64s([-1]), prompt),
    /** [B * H, S] */
    freshByHead: join(rowHeads, fresh),
    /** [B * H, G * S] */
    linesByHead: join(rowHeads, lines),
    /** [B * H, G * S, -1] */
    byHead: join(rowHeads, lines, graph.int64s([-1])),
    /** [B, S, heads + 2 H] */
    projected: join(rows, fresh, graph.int64s([heads + 2 * kvHeads])),
    /** [B, S, H, G] */
    queries: join(rows, fresh, graph.int64s([kvHeads, group])),
    /** [1, H, G, 1, 1] */
    heads: graph.int64s([1, kvHeads, group, 1, 1]),
    /** [B, H, G, S, D] */
    context: join(rows, graph.int64s([kvHeads, group]), fresh, graph.int64s([headSize])),
  };
}

/**
 * A line is one head of one token. All lines of a projection are numbered as they lie in it, [B, S, heads + 2 H]; here are the numbers of
 * those that a product wants, in its order. Made once, they spare each layer its transpositions.
 */
function numberLines(graph: GraphBuilder, { heads, kvHeads }: DecoderShape, sizes: Sizes) {
  const number = (name: string, value: bigint) =>
    graph.initializer({ name, type: 'int64', dims: [], chunks: () => [bytesOf(BigInt64Array.of(value))] });
  const reshape = (data: string, to: string) => graph.node('Reshape', [data, to]);
  const transpose = (data: string, perm: number[]) =>
    graph.node('Transpose', [data], { attributes: { perm: { ints: perm } } });
  const count = graph.node('ReduceProd', [sizes.projected], { attributes: { keepdims: { int: 0 } } });
  const all = reshape(graph.node('Range', [number('zero', 0n), count, number('one', 1n)]), sizes.projected);
  const [query = '', key = '', value = ''] = graph.split(all, [heads, kvHeads, kvHeads]);
  const queries = transpose(reshape(query, sizes.queries), [0, 2, 3, 1]);
  return {
    /** [B * H, G * S] */
    query: reshape(queries, sizes.linesByHead),
    /** [R * H, C * G * S] */
    promptQuery: pick(graph, reshape(queries, graph.int64s([-1])), graphInputs.toPrompts),
    /** [B * H, S] */
    key: reshape(transpose(key, [0, 2, 1]), sizes.freshByHead),
    /** [B * H, S] */
    value: reshape(transpose(value, [0, 2, 1]), sizes.freshByHead),
  };
}

/** What all layers use. */
interface Common {
  readonly graph: GraphBuilder;
  readonly shape: DecoderShape;
  readonly sizes: Sizes;
  readonly lines: ReturnType<typeof numberLines>;
  readonly bias: string;
  readonly room: string;
}

/** Scores of positions that the cache of replies does not have; hidden by the bias. */
function fillRoom(graph: GraphBuilder, sizes: Sizes): string {
  const nothing = graph.initializer({
    name: 'nothing',
    type: 'float32',
    dims: [],
    chunks: () => [bytesOf(Float32Array.of(0))],
  });
  return graph.node('Expand', [nothing, sizes.room]);
}

/** [B * H, G * S, W]: the bias of each line, so that the layers add like to like. */
function spreadBias(graph: GraphBuilder, sizes: Sizes): string {
  return graph.node('Reshape', [graph.node('Expand', [graphInputs.bias, sizes.heads]), sizes.byHead]);
}

function pick(graph: GraphBuilder, lines: string, which: string): string {
  return graph.node('Gather', [lines, which], { attributes: { axis: { int: 0 } } });
}

/**
 * @param lines.turned [lines, D], queries and keys in their positions
 * @param lines.key [B * H, S, D], as `value`
 */
function attention(
  { graph, shape, sizes, lines, bias, room }: Common,
  layer: number,
  { turned, key, value }: { turned: string; key: string; value: string },
): string {
  const reshape = (data: string, to: string) => graph.node('Reshape', [data, to]);
  const product = (left: string, right: string) => graph.node('MatMul', [left, right]);
  const score = (of: string, keys: string, isTransposed: boolean) =>
    graph.node('FusedMatMul', [of, keys], {
      domain: MICROSOFT,
      attributes: { transB: { int: isTransposed ? 0 : 1 }, alpha: { float: shape.headSize ** -0.5 } },
    });
  const queries = pick(graph, turned, lines.query);
  const ofPrompts = score(pick(graph, turned, lines.promptQuery), graphInputs.promptKey(layer), true);
  const scores = graph.node(
    'Concat',
    [
      score(queries, key, false),
      score(queries, graphInputs.replyKey(layer), true),
      room,
      pick(graph, reshape(ofPrompts, sizes.promptLines), graphInputs.fromPrompts),
    ],
    { attributes: { axis: { int: -1 } } },
  );
  const weights = graph.node('Softmax', [graph.node('Add', [scores, bias])], {
    attributes: { axis: { int: -1 } },
  });
  const [fresh = '', reply = '', , prompt = ''] = graph.split(weights, { name: sizes.parts, count: 4 });
  const toPrompts = pick(graph, reshape(prompt, sizes.promptLines), graphInputs.toPrompts);
  const fromPrompts = product(toPrompts, graphInputs.promptValue(layer));
  const context = graph.node('Sum', [
    product(fresh, value),
    product(reply, graphInputs.replyValue(layer)),
    pick(graph, reshape(fromPrompts, graph.int64s([-1, shape.headSize])), graphInputs.fromPrompts),
  ]);
  const merged = graph.node('Transpose', [reshape(context, sizes.context)], {
    attributes: { perm: { ints: [0, 3, 1, 2, 4] } },
  });
  return reshape(merged, graph.int64s([0, 0, shape.heads * shape.headSize]));
}

function returnNewKv(
  graph: GraphBuilder,
  parts: readonly string[],
  { layers, kvHeads, headSize }: DecoderShape,
): void {
  graph.node('Concat', parts, { outputs: [graphOutputs.newKv], attributes: { axis: { int: -1 } } });
  const dims = [`B*${kvHeads}`, 'S', layers * 2 * headSize];
  graph.output({ name: graphOutputs.newKv, type: 'float32', dims });
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
