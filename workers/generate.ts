/**
 * Entry of a generation worker, run by Piscina. Loading never throws: a worker that dies while it loads would be
 * replaced by one that dies alike, for ever. It reports instead, and answers every task with the reason.
 */
import { setPriority } from 'node:os';
import { parentPort, threadId, workerData } from 'node:worker_threads';
import { type LoadedWorker, loadWorker } from '../src/pool/load-worker.ts';
import type { GenerateTask, WorkerReport, WorkerSettings, WorkerToMain } from '../src/pool/messages.ts';

type Outcome =
  | { readonly ok: true; readonly worker: LoadedWorker }
  | { readonly ok: false; readonly reason: string };

/** How much this thread and those of the runtime yield to the one that serves the sockets (nice value); idle cores are used as before. */
const niceness = 5;

async function load(): Promise<Outcome> {
  // On Linux a thread has a priority of its own, which the threads that it starts inherit; elsewhere it is the process's.
  if (process.platform === 'linux') setPriority(0, niceness);
  try {
    return { ok: true, worker: await loadWorker(workerData as WorkerSettings) };
  } catch (error) {
    return { ok: false, reason: error instanceof Error ? error.message : String(error) };
  }
}

function report(outcome: Outcome): void {
  const message: WorkerReport = outcome.ok
    ? { type: 'ready', threadId, notes: outcome.worker.notes }
    : { type: 'load_failed', threadId, message: outcome.reason };
  parentPort?.postMessage(message);
}

const outcome = await load();
report(outcome);

/** Resolves when the generation has ended; what it writes goes over the task's port. */
export default async function generate(task: GenerateTask): Promise<void> {
  if (outcome.ok) return await outcome.worker.loop.run(task);
  const refusal: WorkerToMain = { type: 'failed', code: 'model_unavailable', message: outcome.reason };
  task.port.postMessage(refusal);
  task.port.close();
}
