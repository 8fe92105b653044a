import { setImmediate as nextTurn } from 'node:timers/promises';
import type { MessagePort } from 'node:worker_threads';
import type { GenerationEvent, GenerationRequest, RequestedSelection } from '../conversation/generator.ts';
import type { PromptSegment } from '../conversation/prompt-segment.ts';
import type { Engine } from '../engine/engine.ts';
import type { Admission, EngineEvent, PromptReuse, RacePlan, Selection } from '../engine/request.ts';
import { createJudge } from '../ranking/judge.ts';
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

/** What one step of the engine did. */
export interface StepFigures {
  /** Rows of the batch that are taken after it. */
  readonly rows: number;
  /** Tokens of prompts that the model ran, and those that it was spared. */
  readonly promptTokensRun: number;
  readonly promptTokensReused: number;
}

/**
 * Steps a worker's engine as long as anybody waits for it, and tells each what it wrote. Between two steps the event
 * loop gets a turn: new requests and cancels arrive as messages.
 */
export class GenerationLoop {
  readonly #engine: Engine;
  readonly #encode: (prompt: readonly PromptSegment[]) => Int32Array;
  readonly #planNow: () => RacePlan;
  readonly #onStep: (step: StepFigures) => void;
  readonly #listeners = new Map<string, Listener>();
  #isRunning = false;

  /**
   * @param parts.planNow the race that the load allows at this moment
   * @param parts.onStep told after each step what it did
   */
  constructor(parts: {
    engine: Engine;
    encode: (prompt: readonly PromptSegment[]) => Int32Array;
    planNow: () => RacePlan;
    onStep: (step: StepFigures) => void;
  }) {
    this.#engine = parts.engine;
    this.#encode = parts.encode;
    this.#planNow = parts.planNow;
    this.#onStep = parts.onStep;
  }

  /** Resolves when the generation has ended, by itself or by a cancel, and all of it is posted. */
  run({ request, port }: GenerateTask): Promise<void> {
    const { generationId: id, prompt, selection, reuse, ...rest } = request;
    const admission = this.#engine.submit({
      ...rest,
      ...(reuse && { reuse: this.#toReuse(prompt, reuse) }),
      id,
      prompt: this.#encode(withWritten(prompt, request.written)),
      selection: this.#toSelection(selection, request.written !== ''),
    });
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

  #toReuse(
    prompt: readonly PromptSegment[],
    { scope, publicSegments }: NonNullable<GenerationRequest['reuse']>,
  ): PromptReuse {
    return { scope, publicTokens: this.#encode(prompt.slice(0, publicSegments)).length };
  }

  /** What is continued was chosen already: nobody races with it. */
  #toSelection(selection: RequestedSelection, isContinued: boolean): Selection {
    if (selection.kind === 'all') return selection;
    const judge = createJudge(selection.context);
    if (!isContinued) return { kind: 'race', plan: this.#planNow, judge };
    return { kind: 'race', plan: () => ({ ...this.#planNow(), candidates: 1, runnerUp: false }), judge };
  }

  /** What it throws is a bug in the engine: nobody catches it, so the thread dies and is replaced. */
  async #loop(): Promise<void> {
    this.#isRunning = true;
    while (!this.#engine.idle) {
      const before = this.#engine.totals;
      for (const event of await this.#engine.step()) this.#deliver(event);
      const { promptTokensRun, promptTokensReused } = this.#engine.totals;
      this.#onStep({
        rows: this.#engine.rowsUsed,
        promptTokensRun: promptTokensRun - before.promptTokensRun,
        promptTokensReused: promptTokensReused - before.promptTokensReused,
      });
      await nextTurn();
    }
    this.#isRunning = false;
  }

  #deliver(event: EngineEvent): void {
    const listener = this.#listeners.get(event.id);
    if (listener === undefined) return;
    post(listener.port, toMessage(event));
    if (!isLast(event)) return;
    this.#listeners.delete(event.id);
    listener.port.close();
    listener.resolve();
  }
}

function isLast(event: EngineEvent): boolean {
  if (event.kind === 'finished') return !event.hasMore;
  return event.kind === 'failed' || event.kind === 'alternative';
}

/** What was written stands behind the prompt as if the model had just written it. */
function withWritten(prompt: readonly PromptSegment[], written: string): readonly PromptSegment[] {
  if (written === '') return prompt;
  // A chat template ends its header with a line; a transcript ends with a colon, and speech begins after a space.
  const space = /\s$/.test(prompt.at(-1)?.text ?? '') ? '' : ' ';
  return [...prompt, { kind: 'text', text: space + written }];
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
