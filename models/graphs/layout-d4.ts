import { GRAPH_LAYOUT, GRAPH_TOP_K, graphInputs, graphOutputs } from '../../src/onnx/graph-contract.ts';
import { type GraphBuilder, MICROSOFT } from '../onnx/graph-builder.ts';
import type { DecoderLayout, DecoderShape, OpenDecoder } from './decoder-layout.ts';

/** The layout of `src/onnx/graph-contract.ts`: the past is read only, a prompt is there once for all its rows. */
export const layoutD4: DecoderLayout = {
  name: GRAPH_LAYOUT,
  begin(graph, shape) {
    declareInputs(graph, shape);
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
        returnNewKv(graph, newKv, shape.layers * 2 * shape.kvHeads * shape.headSize);
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
  floats(graphInputs.bias, ['B', 1, 1, 'S', 'S+M+P']);
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
  const lines = dimension(graphInputs.fromPrompts, 1);
  const rowHeads = dimension(graphInputs.fromPrompts, 0);
  return {
    /** [S, M, P] */
    parts: join(fresh, reply, prompt),
    /** [B * H, G * S, D] */
    queryLines: join(rowHeads, lines, graph.int64s([headSize])),
    /** [B * H, S, D] */
    freshLines: join(rowHeads, fresh, graph.int64s([headSize])),
    /** [-1, P] */
    promptLines: join(graph.int64s([-1]), prompt),
    /** [B, H, G, S, S + M + P] */
    scoresByGroup: join(rows, graph.int64s([kvHeads, group]), fresh, graph.int64s([-1])),
    /** [B * H, G * S, S + M + P] */
    scoresByHead: join(rowHeads, lines, graph.int64s([-1])),
    /** [B, H, G, S, D] */
    contextByGroup: join(rows, graph.int64s([kvHeads, group]), fresh, graph.int64s([headSize])),
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
  const pick = (lines: string, which: string) =>
    graph.node('Gather', [lines, which], { attributes: { axis: { int: 0 } } });
  const byHead = (data: string) =>
    reshape(
      transpose(reshape(data, graph.int64s([0, 0, kvHeads, headSize])), [0, 2, 1, 3]),
      sizes.freshLines,
    );
  const scores = (lines: string, keys: string, transposed: boolean) =>
    graph.node('FusedMatMul', [lines, keys], {
      domain: MICROSOFT,
      attributes: { transB: { int: transposed ? 0 : 1 }, alpha: { float: headSize ** -0.5 } },
    });

  const grouped = reshape(query, graph.int64s([0, 0, kvHeads, heads / kvHeads, headSize]));
  const lines = reshape(transpose(grouped, [0, 2, 3, 1, 4]), graph.int64s([-1, headSize]));
  const queries = reshape(lines, sizes.queryLines);
  const ofPrompts = scores(pick(lines, graphInputs.toPrompts), graphInputs.promptKey(layer), true);
  const all = graph.node(
    'Concat',
    [
      scores(queries, byHead(key), false),
      scores(queries, graphInputs.replyKey(layer), true),
      pick(reshape(ofPrompts, sizes.promptLines), graphInputs.fromPrompts),
    ],
    { attributes: { axis: { int: -1 } } },
  );
  const masked = graph.node('Add', [reshape(all, sizes.scoresByGroup), graphInputs.bias]);
  const weights = graph.node('Softmax', [masked], { attributes: { axis: { int: -1 } } });
  const [fresh = '', reply = '', prompt = ''] = graph.split(reshape(weights, sizes.scoresByHead), {
    name: sizes.parts,
    count: 3,
  });
  const toPrompts = pick(reshape(prompt, sizes.promptLines), graphInputs.toPrompts);
  const fromPrompts = graph.node('MatMul', [toPrompts, graphInputs.promptValue(layer)]);
  const context = graph.node('Sum', [
    graph.node('MatMul', [fresh, byHead(value)]),
    graph.node('MatMul', [reply, graphInputs.replyValue(layer)]),
    pick(reshape(fromPrompts, graph.int64s([-1, headSize])), graphInputs.fromPrompts),
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
