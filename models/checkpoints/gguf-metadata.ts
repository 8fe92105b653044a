/** Metadata of a GGUF file, read with the expected type. */
export interface GgufMetadata {
  /** @throws when the key is missing or of another type; so do the next two. */
  text(key: string): string;
  number(key: string): number;
  texts(key: string): readonly string[];
  numbers(key: string): readonly number[];
  textOr<T extends string | null>(key: string, otherwise: T): string | T;
  numberOr<T extends number | null>(key: string, otherwise: T): number | T;
}

export function createMetadata(values: Readonly<Record<string, unknown>>, path: string): GgufMetadata {
  const missing = (key: string) => new Error(`${path} has no usable "${key}" in its metadata`);
  const textOr = <T extends string | null>(key: string, otherwise: T) => {
    const value = values[key];
    return typeof value === 'string' ? value : otherwise;
  };
  const numberOr = <T extends number | null>(key: string, otherwise: T) => {
    const value = values[key];
    return typeof value === 'number' || typeof value === 'bigint' ? Number(value) : otherwise;
  };
  const list = (key: string) => {
    const value = values[key];
    if (!Array.isArray(value)) throw missing(key);
    return value as readonly unknown[];
  };
  return {
    textOr,
    numberOr,
    text(key) {
      const value = textOr(key, null);
      if (value === null) throw missing(key);
      return value;
    },
    number(key) {
      const value = numberOr(key, null);
      if (value === null) throw missing(key);
      return value;
    },
    texts: (key) => list(key).map(String),
    numbers: (key) => list(key).map(Number),
  };
}
