/** Everything that crosses the border between the server and its generation process. */
import type { GenerationRequest } from '../conversation/generator.ts';
import type { LoadLevel } from '../conversation/load-level.ts';
import type { HostOptions, HostStatus, RunMessage } from './generation-host.ts';

export type MainToHost =
  /** First, and once. */
  | {
      readonly type: 'open';
      readonly options: Pick<HostOptions, 'workers' | 'worker'> & { readonly workerFile: string | null };
      readonly level: LoadLevel;
    }
  | { readonly type: 'start'; readonly run: number; readonly request: GenerationRequest }
  | { readonly type: 'cancel'; readonly run: number }
  | { readonly type: 'level'; readonly level: LoadLevel }
  /** All runs are cancelled; the process ends by itself. */
  | { readonly type: 'close' };

export type HostToMain =
  | { readonly type: 'status'; readonly status: HostStatus }
  | { readonly type: 'run'; readonly run: number; readonly message: RunMessage }
  /** No worker holds the run any more. */
  | { readonly type: 'settled'; readonly run: number };
