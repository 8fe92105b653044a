import { setImmediate as nextTurn } from 'node:timers/promises';
import type { MessagePort } from 'node:worker_threads';
import type { GenerationEvent } from '../conversation/generator.ts';
import type { PromptSegment } from '../conversation/prompt-segment.ts';
import type { Engine } from '../engine/engine.ts';
import type { Admission, EngineEvent } from '../engine/request.ts';
import type { GenerateTask, MainToWorker, WorkerToMain } from './messages.ts';

interface Listener {
  readonly port: MessagePort;
  readonly resolve: () => void;
}

const REFUSALS: Readonly<Record<Exclude<Admission, 'accepted'>, WorkerToMain>> = {
  queue_full: { type: 'failed', code: 'overloaded', message: "The worker's queue is full." },
  prompt_too_long: {
    type: 'failed',
    code: 'generation_failed',
    message: 'Prompt and reply together are longer than a sequence may be.',
  },
  unsupported_sampling: {
    type: 'failed',
    code: 'generation_failed',
    message: 'The model cannot sample with these parameters.',
  },
};

/**
 * Steps a worker's engine as long as anybody waits for it, and tells each what it wrote. Between two steps the event
 * loop gets a turn: new requests and cancels arrive as messages.
 */
export class GenerationLoop {
  readonly #engine: Engine;
  readonly #encode: (prompt: readonly PromptSegment[]) => Int32Array;
  readonly #listeners = new Map<string, Listener>();
  #isRunning = false;

  constructor(parts: { engine: Engine; encode: (prompt: readonly PromptSegment[]) => Int32Array }) {
    this.#engine = parts.engine;
    this.#encode = parts.encode;
  }

  /** Resolves when the generation has ended, by itself or by a cancel, and all of it is posted. */
  run({ request, port }: GenerateTask): Promise<void> {
    const { generationId: id, prompt, ...rest } = request;
    const admission = this.#engine.submit({ id, prompt: this.#encode(prompt), ...rest });
    if (admission !== 'accepted') {
      post(port, REFUSALS[admission]);
      port.close();
      return Promise.resolve();
    }
    port.on('message', (message: MainToWorker) => {
      if (message.type === 'cancel') this.#engine.cancel(id);
    });
    // The other side is gone, so nobody will ever read the rest.
    port.on('close', () => this.#engine.cancel(id));
    return new Promise((resolve) => {
      this.#listeners.set(id, { port, resolve });
      if (!this.#isRunning) void this.#loop();
    });
  }

  /** What it throws is a bug in the engine: nobody catches it, so the thread dies and is replaced. */
  async #loop(): Promise<void> {
    this.#isRunning = true;
    while (!this.#engine.idle) {
      for (const event of await this.#engine.step()) this.#deliver(event);
      await nextTurn();
    }
    this.#isRunning = false;
  }

  #deliver(event: EngineEvent): void {
    const listener = this.#listeners.get(event.id);
    if (listener === undefined) return;
    post(listener.port, toMessage(event));
    if (event.kind !== 'finished' && event.kind !== 'failed') return;
    this.#listeners.delete(event.id);
    listener.port.close();
    listener.resolve();
  }
}

function toMessage(event: EngineEvent): WorkerToMain {
  if (event.kind === 'failed') {
    return { type: 'failed', code: 'generation_failed', message: event.message };
  }
  const { id: _, ...rest } = event;
  return { type: 'event', event: rest satisfies GenerationEvent };
}

function post(port: MessagePort, message: WorkerToMain): void {
  port.postMessage(message);
}
