import { link, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { Tensor } from 'onnxruntime-node';
import { z } from 'zod';
import { decodeModelProto, elementTypes, encodeModelProto } from '../../models/onnx/schema.ts';
import { openSession } from '../../src/onnx/session.ts';

const KERNEL = 'MatMulNBits';

const attributeSchema = z.looseObject({ name: z.string(), i: z.number().optional() });
const nodeSchema = z.looseObject({
  opType: z.string(),
  input: z.array(z.string()),
  output: z.array(z.string()),
  attribute: z.array(attributeSchema).default([]),
});
const modelSchema = z.looseObject({
  graph: z.looseObject({
    node: z.array(nodeSchema),
    initializer: z.array(z.looseObject({ name: z.string() })),
  }),
});

export interface Ceiling extends AsyncDisposable {
  /** Milliseconds of one run: all products of a step of `rows` sequences, and nothing else. */
  run(rows: number): Promise<number>;
}

/**
 * What the weight kernel alone needs for a step: a graph of the model's own products with its own weights, in their order, each on
 * a constant input; of the results only the shape is asked for. No engine on this runtime can be faster than that.
 *
 * @param graphPath a model in 8-bit blocks; its directory gets a temporary neighbour.
 */
export async function openCeiling(graphPath: string, threads: number): Promise<Ceiling> {
  const model = modelSchema.parse(decodeModelProto(await readFile(graphPath)));
  const products = model.graph.node.filter(({ opType }) => opType === KERNEL);
  const widthOf = (node: z.infer<typeof nodeSchema>) =>
    node.attribute.find(({ name }) => name === 'K')?.i ?? 0;
  const inputOf = (width: number) => `x${width}`;
  const widths = [...new Set(products.map(widthOf))];
  const used = new Set(products.flatMap(({ input }) => input.slice(1)));
  const nodes = products.map((node) => ({
    ...node,
    input: [inputOf(widthOf(node)), ...node.input.slice(1)],
  }));
  const shapes = products.map(({ output }, index) => ({
    opType: 'Shape',
    name: `shape_${index}`,
    input: output.slice(0, 1),
    output: [`shape_${index}`],
  }));
  const join_ = {
    opType: 'Concat',
    name: 'shapes',
    input: shapes.map(({ name }) => name),
    output: ['shapes'],
    attribute: [{ name: 'axis', i: 0, type: 2 }],
  };
  const value = (name: string, elemType: number, dim: readonly object[]) => ({
    name,
    type: { tensorType: { elemType, shape: { dim } } },
  });
  const graph = {
    name: 'ceiling',
    node: [...nodes, ...shapes, join_],
    initializer: model.graph.initializer.filter(({ name }) => used.has(name)),
    input: widths.map((width) =>
      value(inputOf(width), elementTypes.float32, [{ dimParam: 'B' }, { dimValue: width }]),
    ),
    output: [value('shapes', elementTypes.int64, [{ dimParam: 'N' }])],
  };
  const directory = await mkdtemp(join(dirname(graphPath), '..', '.ceiling-'));
  try {
    const path = join(directory, basename(graphPath));
    await writeFile(path, encodeModelProto({ ...model, graph }));
    await link(`${graphPath}.data`, `${path}.data`);
    const session = await openSession(path, { threads });
    return {
      async run(rows) {
        const feeds = Object.fromEntries(
          widths.map((width) => {
            const numbers = Float32Array.from({ length: rows * width }, (_, i) => Math.sin(i));
            return [inputOf(width), new Tensor('float32', numbers, [rows, width])];
          }),
        );
        const startedAt = performance.now();
        await session.run(feeds);
        return performance.now() - startedAt;
      },
      [Symbol.asyncDispose]: () => session.release(),
    };
  } finally {
    await rm(directory, { recursive: true });
  }
}
