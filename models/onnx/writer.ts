import { createHash } from 'node:crypto';
import { open, writeFile } from 'node:fs/promises';
import { basename } from 'node:path';
import { byteLength, type Graph, type Initializer, type Node, type ValueInfo } from './graph.ts';
import { attributeTypes, DATA_LOCATION_EXTERNAL, elementTypes, encodeModelProto } from './schema.ts';

const IR_VERSION = 9;
const OPSETS = [
  { domain: '', version: 18 },
  { domain: 'com.microsoft', version: 1 },
];
/** Larger initializers go to the data file. Shapes must stay inside: the runtime infers with their values. */
const INLINE_BYTES_MAX = 1024;
/** A memory page, so that the runtime can map each tensor instead of reading it. */
const DATA_ALIGNMENT = 4096;

export interface WrittenFile {
  readonly bytes: number;
  /** Hexadecimal. */
  readonly sha256: string;
}

/**
 * Writes `graph` to `path` and its large initializers to `path + '.data'`. The data file is streamed: the
 * memory needed is that of one chunk, and it may grow beyond the 2 GB that a protobuf message can hold.
 *
 * @throws when an initializer yields another number of bytes than its dimensions say.
 */
export async function writeOnnxModel(
  graph: Graph,
  { path, onTensor }: { path: string; onTensor: (done: number, total: number) => void },
): Promise<{ graph: WrittenFile; data: WrittenFile }> {
  const dataPath = `${path}.data`;
  const { data, tensors } = await writeData(graph.initializers, { path: dataPath, onTensor });
  const model = encodeModelProto({
    irVersion: IR_VERSION,
    producerName: 'amity',
    opsetImport: OPSETS,
    graph: {
      name: graph.name,
      node: graph.nodes.map(toNodeProto),
      initializer: tensors,
      input: graph.inputs.map(toValueInfoProto),
      output: graph.outputs.map(toValueInfoProto),
    },
  });
  await writeFile(path, model, { flush: true });
  return { graph: { bytes: model.length, sha256: createHash('sha256').update(model).digest('hex') }, data };
}

async function writeData(
  initializers: readonly Initializer[],
  { path, onTensor }: { path: string; onTensor: (done: number, total: number) => void },
) {
  const hash = createHash('sha256');
  const tensors: Record<string, unknown>[] = [];
  let offset = 0;
  await using file = await open(path, 'w');
  const append = async (bytes: Uint8Array) => {
    hash.update(bytes);
    for (let done = 0; done < bytes.length; ) {
      done += (await file.write(bytes, done, bytes.length - done)).bytesWritten;
    }
    offset += bytes.length;
  };
  for (const [index, initializer] of initializers.entries()) {
    onTensor(index, initializers.length);
    const length = byteLength(initializer);
    const tensor = {
      name: initializer.name,
      dims: [...initializer.dims],
      dataType: elementTypes[initializer.type],
    };
    if (length <= INLINE_BYTES_MAX) {
      tensors.push({ ...tensor, rawData: await collect(initializer, length) });
      continue;
    }
    await append(new Uint8Array((DATA_ALIGNMENT - (offset % DATA_ALIGNMENT)) % DATA_ALIGNMENT));
    const start = offset;
    for await (const chunk of initializer.chunks()) await append(chunk);
    checkLength(initializer, offset - start);
    const external = { location: basename(path), offset: String(start), length: String(length) };
    tensors.push({
      ...tensor,
      dataLocation: DATA_LOCATION_EXTERNAL,
      externalData: Object.entries(external).map(([key, value]) => ({ key, value })),
    });
  }
  onTensor(initializers.length, initializers.length);
  await file.sync();
  return { tensors, data: { bytes: offset, sha256: hash.digest('hex') } };
}

async function collect(initializer: Initializer, length: number): Promise<Uint8Array> {
  const bytes = new Uint8Array(length);
  let filled = 0;
  for await (const chunk of initializer.chunks()) {
    bytes.set(chunk, filled);
    filled += chunk.length;
  }
  checkLength(initializer, filled);
  return bytes;
}

function checkLength(initializer: Initializer, got: number): void {
  const wanted = byteLength(initializer);
  if (got !== wanted) throw new Error(`${initializer.name}: ${got} bytes written, ${wanted} declared`);
}

function toNodeProto(node: Node) {
  return {
    input: [...node.inputs],
    output: [...node.outputs],
    name: node.name,
    opType: node.opType,
    domain: node.domain,
    attribute: Object.entries(node.attributes).map(([name, value]) => {
      if ('int' in value) return { name, type: attributeTypes.int, i: value.int };
      if ('float' in value) return { name, type: attributeTypes.float, f: value.float };
      return { name, type: attributeTypes.ints, ints: [...value.ints] };
    }),
  };
}

function toValueInfoProto(info: ValueInfo) {
  const dim = info.dims.map((size) => (typeof size === 'number' ? { dimValue: size } : { dimParam: size }));
  return { name: info.name, type: { tensorType: { elemType: elementTypes[info.type], shape: { dim } } } };
}
