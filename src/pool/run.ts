import { MessageChannel, type MessagePort, receiveMessageOnPort } from 'node:worker_threads';
import type { GenerationEvent, GenerationRequest } from '../conversation/generator.ts';
import { Inbox } from './inbox.ts';
import type { GenerateTask, MainToWorker, WorkerToMain } from './messages.ts';

/** One generation on its way through a worker. */
export interface Run {
  /** Ends with an event `finished` or with `failed`, whatever happens to the worker. */
  readonly messages: AsyncIterable<WorkerToMain>;
  phase(): 'waiting' | 'running' | 'ended';
  /** When it came; monotonic milliseconds. */
  readonly since: number;
  /** Resolves when no worker holds it any more. */
  readonly settled: Promise<void>;
  /** Asks the worker to stop between two steps; harmless when it has ended. */
  cancel(): void;
  /** Ends it here, when no worker will. */
  fail(code: 'generation_failed' | 'model_unavailable', message: string): void;
}

export interface RunOptions {
  /** Hands the task to a worker; its promise settles when the worker has let go of it, or has died. */
  readonly post: (task: GenerateTask, transferList: MessagePort[]) => Promise<unknown>;
  /** Called once, when it waits no more: it runs, or has ended without. */
  readonly onStart: () => void;
  readonly now: number;
}

export function startRun(request: GenerationRequest, { post, onStart, now }: RunOptions): Run {
  const { port1: port, port2: workerPort } = new MessageChannel();
  const inbox = new Inbox<WorkerToMain>();
  let phase: ReturnType<Run['phase']> = 'waiting';
  const receive = (message: WorkerToMain) => {
    if (phase === 'ended') return;
    const isEnd = message.type === 'failed' || isLast(message.event);
    const waited = phase === 'waiting';
    phase = isEnd ? 'ended' : 'running';
    if (waited) onStart();
    inbox.push(message);
    if (isEnd) inbox.close();
  };
  port.on('message', receive);

  let abandon = () => {};
  const abandoned = new Promise<void>((resolve) => {
    abandon = resolve;
  });
  const fail: Run['fail'] = (code, message) => {
    receive({ type: 'failed', code, message });
    abandon();
  };
  const settle = (reason: string) => {
    // Whatever the worker posted is in the port's queue by now, ahead of any event of it.
    for (let entry = receiveMessageOnPort(port); entry !== undefined; entry = receiveMessageOnPort(port)) {
      receive(entry.message as WorkerToMain);
    }
    receive({ type: 'failed', code: 'generation_failed', message: reason });
  };
  const worked = post({ request, port: workerPort }, [workerPort]).then(
    () => settle('The generation worker ended without an answer.'),
    (error: unknown) => settle(`The generation worker broke off: ${messageOf(error)}`),
  );
  return {
    messages: inbox,
    since: now,
    phase: () => phase,
    settled: Promise.race([worked, abandoned]).finally(() => port.close()),
    cancel: () => {
      if (phase !== 'ended') port.postMessage({ type: 'cancel' } satisfies MainToWorker);
    },
    fail,
  };
}

function isLast(event: GenerationEvent): boolean {
  return event.kind === 'alternative' || (event.kind === 'finished' && !event.hasMore);
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
