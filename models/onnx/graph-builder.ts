import { type Attribute, bytesOf, type Graph, type Initializer, type Node, type ValueInfo } from './graph.ts';

/** Domain of the operators that ONNX Runtime adds to the standard ones. */
export const MICROSOFT = 'com.microsoft';

export interface NodeOptions {
  readonly domain?: string;
  readonly attributes?: Readonly<Record<string, Attribute>>;
  /** Names of the outputs; '' leaves one out. Without it there is one, and its name is made up. */
  readonly outputs?: readonly string[];
}

/** Collects a graph. Values are known by name; each name is made once, and nodes come in the order of use. */
export class GraphBuilder {
  readonly #nodes: Node[] = [];
  readonly #inputs: ValueInfo[] = [];
  readonly #outputs: ValueInfo[] = [];
  readonly #initializers = new Map<string, Initializer>();
  readonly #prefix: string;

  /** @param prefix of the names made up here, where a graph takes over values of another one */
  constructor(prefix = '') {
    this.#prefix = prefix;
  }

  input(info: ValueInfo): string {
    this.#inputs.push(info);
    return info.name;
  }

  output(info: ValueInfo): void {
    this.#outputs.push(info);
  }

  /** Adds a node and returns the name of its first output. */
  node(opType: string, inputs: readonly string[], options: NodeOptions = {}): string {
    const name = `${this.#prefix}${opType}_${this.#nodes.length}`;
    const outputs = options.outputs ?? [name];
    this.#nodes.push({
      opType,
      name,
      domain: options.domain ?? '',
      inputs,
      outputs,
      attributes: options.attributes ?? {},
    });
    return outputs[0] ?? '';
  }

  /** Cuts a value along its last axis. `sizes` are the lengths, or the name of a value that holds `count` of them. */
  split(value: string, sizes: readonly number[] | { name: string; count: number }): string[] {
    const count = 'name' in sizes ? sizes.count : sizes.length;
    const lengths = 'name' in sizes ? sizes.name : this.int64s(sizes);
    const prefix = `${this.#prefix}Split_${this.#nodes.length}`;
    const outputs = Array.from({ length: count }, (_, index) => `${prefix}_${index}`);
    this.node('Split', [value, lengths], { outputs, attributes: { axis: { int: -1 } } });
    return outputs;
  }

  /** Adds a constant, unless one of that name is there: matrices may be used twice. */
  initializer(initializer: Initializer): string {
    if (!this.#initializers.has(initializer.name)) this.#initializers.set(initializer.name, initializer);
    return initializer.name;
  }

  int64s(values: readonly number[]): string {
    return this.initializer({
      name: `int64_${values.join('_').replaceAll('-', 'minus')}`,
      type: 'int64',
      dims: [values.length],
      chunks: () => [bytesOf(BigInt64Array.from(values, BigInt))],
    });
  }

  finish(name: string): Graph {
    return {
      name,
      nodes: this.#nodes,
      inputs: this.#inputs,
      outputs: this.#outputs,
      initializers: [...this.#initializers.values()],
    };
  }
}
