/** Where generation workers live: in threads of this process, or in those of a child process. */
import type { GenerationRequest } from '../conversation/generator.ts';
import type { LoadLevel } from '../conversation/load-level.ts';
import type { WorkerSettings, WorkerToMain } from './messages.ts';
import type { WorkCounts } from './work-counters.ts';

export interface GenerationHost extends AsyncDisposable {
  /** @param receive gets what the run tells, in order; what comes after an end says nothing more */
  start(request: GenerationRequest, receive: (message: RunMessage) => void): HostedRun;
  status(): HostStatus;
  /** Resolves at the next change of the status. */
  changed(): Promise<void>;
  /** Races that start from now on follow it. */
  setLevel(level: LoadLevel): void;
  /** Cancel all runs before: waits a while for what cannot be interrupted, then ends the workers. */
  [Symbol.asyncDispose](): Promise<void>;
}

/** `lost`: its worker died before the end. */
export type RunMessage = WorkerToMain | { readonly type: 'lost'; readonly reason: string };

export interface HostedRun {
  /** Asks the worker to stop between two steps; harmless when it has ended. */
  cancel(): void;
  /** Resolves when no worker holds it any more; an end was handed over before. */
  readonly settled: Promise<void>;
}

export type PoolState =
  | { readonly kind: 'loading' }
  | { readonly kind: 'ready' }
  | { readonly kind: 'failed'; readonly reason: string };

export interface HostStatus {
  readonly state: PoolState;
  readonly workers: number;
  readonly workersReady: number;
  /** Workers that died and were replaced. */
  readonly replaced: number;
  readonly work: WorkCounts;
  /** What the workers found worth a line in the log, each once. */
  readonly notes: readonly string[];
}

export interface HostOptions {
  /** Worker threads, each with a session of its own. */
  readonly workers: number;
  readonly worker: Omit<WorkerSettings, 'level' | 'work' | 'seats'>;
  /** The worker's entry; tests put their own in its place. */
  readonly workerFile?: URL;
  /** Told of child processes that come and go. */
  readonly onProcess?: (event: ProcessEvent) => void;
}

export type ProcessEvent =
  | { readonly kind: 'started'; readonly pid: number | undefined }
  /** `restartInMs` is null when no further one is started. */
  | { readonly kind: 'ended'; readonly reason: string; readonly restartInMs: number | null };

/** How long closing waits for running steps and loading workers, which cannot be interrupted. */
export const closeTimeoutMs = 20_000;
