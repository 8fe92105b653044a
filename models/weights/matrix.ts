/** Weights as a checkpoint holds them: rows = outputs, columns = inputs; read in pieces, as float32. */
export interface Matrix {
  /** Unique in the graph; the same name means the same values. */
  readonly name: string;
  readonly rows: number;
  readonly columns: number;
  /** Rows `from` (included) to `to` (excluded), row after row. */
  readRows(from: number, to: number): Promise<Float32Array>;
}

/** About 8 MB of float32: large enough to be quick, small enough to hold several. */
const CHUNK_ELEMENTS = 2 ** 21;

/** All rows in order, in pieces of bounded size. */
export async function* readChunks(matrix: Matrix): AsyncGenerator<Float32Array> {
  const step = Math.max(1, Math.floor(CHUNK_ELEMENTS / matrix.columns));
  for (let from = 0; from < matrix.rows; from += step) {
    yield await matrix.readRows(from, Math.min(matrix.rows, from + step));
  }
}

/** One matrix below the other: y = x W^T for both in one multiplication. */
export function stackRows(name: string, parts: readonly Matrix[]): Matrix {
  const columns = parts[0]?.columns ?? 0;
  if (parts.some((part) => part.columns !== columns)) throw new Error(`${name}: parts differ in width`);
  return {
    name,
    columns,
    rows: parts.reduce((sum, part) => sum + part.rows, 0),
    async readRows(from, to) {
      const result = new Float32Array((to - from) * columns);
      let start = 0;
      for (const part of parts) {
        const first = Math.max(from, start);
        const last = Math.min(to, start + part.rows);
        if (first < last) {
          result.set(await part.readRows(first - start, last - start), (first - from) * columns);
        }
        start += part.rows;
      }
      return result;
    },
  };
}
