/**
 * Takes a decoder's fused operators apart into what an exporter writes: norms, rotation and activation step by step, as the Python that
 * it traces has them. Products and attention are left as they are.
 */
import { bytesOf, type Graph, type Node } from '../../models/onnx/graph.ts';
import { GraphBuilder } from '../../models/onnx/graph-builder.ts';

type Expand = (graph: GraphBuilder, node: Node, to: (index: number) => string) => void;

/** @param headSize of the heads that RotaryEmbedding turns */
export function unfuse(fused: Graph, { headSize }: { headSize: number }): Graph {
  const graph = new GraphBuilder('unfused.');
  for (const input of fused.inputs) graph.input(input);
  for (const output of fused.outputs) graph.output(output);
  for (const initializer of fused.initializers) graph.initializer(initializer);
  for (const node of fused.nodes) {
    const expand = expansions(headSize)[node.opType];
    if (expand === undefined) graph.node(node.opType, node.inputs, node);
    else expand(graph, node, (index) => node.outputs[index] ?? '');
  }
  return graph.finish(fused.name);
}

function expansions(headSize: number): Readonly<Record<string, Expand>> {
  return {
    SimplifiedLayerNormalization: (graph, node, to) =>
      rmsNorm(graph, node, { of: node.inputs[0]!, to: to(0) }),
    SkipSimplifiedLayerNormalization: (graph, node, to) => {
      const sum = graph.node('Add', node.inputs.slice(0, 2), { outputs: [to(3)] });
      rmsNorm(graph, node, { of: sum, to: to(0) });
    },
    QuickGelu: (graph, node, to) => {
      const x = node.inputs[0]!;
      graph.node('Mul', [x, graph.node('Sigmoid', [x])], { outputs: [to(0)] });
    },
    RotaryEmbedding: (graph, node, to) => rotate(graph, node, { headSize, to: to(0) }),
  };
}

function rmsNorm(graph: GraphBuilder, node: Node, { of, to }: { of: string; to: string }): void {
  const epsilon = node.attributes['epsilon'];
  if (epsilon === undefined || !('float' in epsilon)) throw new Error(`${node.name} has no epsilon`);
  const mean = graph.node('ReduceMean', [
    graph.node('Pow', [of, scalar(graph, 'two', 2)]),
    graph.int64s([-1]),
  ]);
  const root = graph.node('Sqrt', [graph.node('Add', [mean, scalar(graph, 'epsilon', epsilon.float)])]);
  const normal = graph.node('Mul', [of, graph.node('Div', [scalar(graph, 'one.float', 1), root])]);
  graph.node('Mul', [normal, node.inputs.at(-1)!], { outputs: [to] });
}

/** x cos + rotate_half(x) sin, head by head. */
function rotate(graph: GraphBuilder, node: Node, { headSize, to }: { headSize: number; to: string }): void {
  const [x = '', positions = '', cosines = '', sines = ''] = node.inputs;
  const heads = graph.node('Reshape', [x, graph.int64s([0, 0, -1, headSize])]);
  const angle = (table: string) => {
    const half = graph.node('Unsqueeze', [graph.node('Gather', [table, positions]), graph.int64s([2])]);
    return graph.node('Concat', [half, half], { attributes: { axis: { int: -1 } } });
  };
  const [first = '', second = ''] = graph.split(heads, [headSize / 2, headSize / 2]);
  const turned = graph.node('Concat', [graph.node('Neg', [second]), first], {
    attributes: { axis: { int: -1 } },
  });
  const sum = graph.node('Add', [
    graph.node('Mul', [heads, angle(cosines)]),
    graph.node('Mul', [turned, angle(sines)]),
  ]);
  graph.node('Reshape', [sum, graph.int64s([0, 0, -1])], { outputs: [to] });
}

function scalar(graph: GraphBuilder, name: string, value: number): string {
  return graph.initializer({
    name,
    type: 'float32',
    dims: [],
    chunks: () => [bytesOf(Float32Array.of(value))],
  });
}
