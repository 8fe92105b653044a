/** Writes the values of one block of a GGUF tensor. */
export type BlockReader = (block: Uint8Array, values: Float32Array, half: HalfReader) => void;

/** The float16 at a place of a block. */
export type HalfReader = (block: Uint8Array, at: number) => number;
