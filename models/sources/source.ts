import type { Manifest } from '../../src/onnx/manifest.ts';
import type { Checkpoint } from '../checkpoints/checkpoint.ts';

/** What a pull tells whoever waits for it. */
export type PullProgress =
  | { readonly kind: 'note'; readonly text: string }
  /** `total` is null when the server does not say. */
  | {
      readonly kind: 'download';
      readonly file: string;
      readonly bytes: number;
      readonly bytesTotal: number | null;
    }
  | { readonly kind: 'convert'; readonly tensors: number; readonly tensorsTotal: number };

export interface FetchContext {
  /** Kept until the pull succeeds, so that the next one goes on where this one was cut. */
  readonly downloads: string;
  readonly onProgress: (progress: PullProgress) => void;
  readonly signal: AbortSignal;
}

/** A checkpoint on this disk, and where it is from. */
export interface FetchedCheckpoint {
  open(): Promise<Checkpoint>;
  readonly source: Manifest['source'];
}
