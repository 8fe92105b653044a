import type { TensorSource } from './checkpoint.ts';

export interface MemoryTensor {
  readonly dims: readonly number[];
  readonly values: Float32Array;
}

/** Tensors that were computed here, not read. */
export function tensorsInMemory(tensors: ReadonlyMap<string, MemoryTensor>): TensorSource {
  const find = (name: string) => {
    const tensor = tensors.get(name);
    if (tensor === undefined) throw new Error(`No tensor ${name}`);
    return tensor;
  };
  return {
    has: (name) => tensors.has(name),
    dims: (name) => find(name).dims,
    async readRows(name, { from, to }) {
      const { dims, values } = find(name);
      const width = dims.slice(1).reduce((product, size) => product * size, 1);
      return values.slice(from * width, to * width);
    },
  };
}
