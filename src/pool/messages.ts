/**
 * Everything that crosses the border between the main thread and a generation worker. Text crosses, never
 * token ids: the worker alone tokenizes, so both sides cannot disagree.
 */
import type { MessagePort } from 'node:worker_threads';
import type { GenerationEvent, GenerationRequest } from '../conversation/generator.ts';
import type { RaceSettings } from '../conversation/load-level.ts';
import type { Provider } from '../onnx/session.ts';

/** Given to each worker when it starts. */
export interface WorkerSettings {
  readonly modelDirectory: string;
  /** Threads of the ONNX session. */
  readonly threads: number;
  /** Rows of the batch: sequences that decode together. */
  readonly rowsMax: number;
  /** Tokens a sequence may hold, prompt and reply together. */
  readonly positionsMax: number;
  /** Of these, memory for so many of each prompt and of each reply is taken at the start. */
  readonly reserved: { readonly prompt: number; readonly reply: number };
  /** Requests that may wait for a row inside the worker. */
  readonly queueMax: number;
  readonly verifyChecksums: boolean;
  readonly race: RaceSettings;
  /** One Int32: the load level at this moment. The main thread writes it; a race that starts reads it. */
  readonly level: SharedArrayBuffer;
  /** BigInt64s to which all workers add: see work-counters.ts. */
  readonly work: SharedArrayBuffer;
  readonly provider: Provider | 'auto';
  /** One Int32 a worker: see seats.ts. */
  readonly seats: SharedArrayBuffer;
  /** Memory for the beginnings of prompts that may be found again. */
  readonly prefixCacheBytes: number;
}

/** One Piscina task: one generation. Events and cancel travel over `port`. */
export interface GenerateTask {
  readonly request: GenerationRequest;
  readonly port: MessagePort;
}

export type MainToWorker = { readonly type: 'cancel' };

export type WorkerToMain =
  | { readonly type: 'event'; readonly event: GenerationEvent }
  | {
      readonly type: 'failed';
      readonly code: 'generation_failed' | 'model_unavailable' | 'overloaded';
      readonly message: string;
    };

/** Posted once by each worker through its parent port: it is loaded and warm, or it never will be. */
export type WorkerReport =
  | { readonly type: 'ready'; readonly threadId: number; readonly notes: readonly string[] }
  | { readonly type: 'load_failed'; readonly threadId: number; readonly message: string };
