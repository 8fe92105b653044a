import { exportInputs, exportOutputs, regroupInputs } from '../../src/onnx/export-contract.ts';
import type { Graph } from '../onnx/graph.ts';
import { GraphBuilder } from '../onnx/graph-builder.ts';
import type { DecoderShape } from './decoder-layout.ts';

/** The graph that `regroupInputs` describes. */
export function regroupGraph({
  layers,
  kvHeads,
  headSize,
}: Pick<DecoderShape, 'layers' | 'kvHeads' | 'headSize'>): Graph {
  const graph = new GraphBuilder();
  graph.input({ name: regroupInputs.rows, type: 'int64', dims: ['N'] });
  graph.input({ name: regroupInputs.length, type: 'int64', dims: [1] });
  const regroup = (past: string, present: string) => {
    graph.input({ name: past, type: 'float32', dims: ['B', kvHeads, 'P', headSize] });
    const rows = graph.node('Gather', [past, regroupInputs.rows], { attributes: { axis: { int: 0 } } });
    graph.node('Slice', [rows, graph.int64s([0]), regroupInputs.length, graph.int64s([2])], {
      outputs: [present],
    });
    graph.output({ name: present, type: 'float32', dims: ['N', kvHeads, 'T', headSize] });
  };
  for (let layer = 0; layer < layers; layer++) {
    regroup(exportInputs.pastKey(layer), exportOutputs.presentKey(layer));
    regroup(exportInputs.pastValue(layer), exportOutputs.presentValue(layer));
  }
  return graph.finish('regroup');
}
