/**
 * A generator in this thread: the real engine on the scripted model, stepped by the simulation. Its worker can be lost: the engine
 * is thrown away with all that it was doing, as when a thread dies.
 */
import type { GenerationEvent, GenerationRequest, Generator } from '../../../src/conversation/generator.ts';
import {
  type LoadState,
  nextLoadState,
  type RaceSettings,
  racePlanOf,
} from '../../../src/conversation/load-level.ts';
import { Engine } from '../../../src/engine/engine.ts';
import { findViolations } from '../../../src/engine/invariants.ts';
import type { Contender, EngineEvent, Verdict } from '../../../src/engine/request.ts';
import { CodedError } from '../../../src/std/coded-error.ts';
import { Pulse } from '../../../src/std/pulse.ts';
import { ScriptedRunner, scriptedVocabulary } from '../../support/scripted-runner.ts';

export interface SimulationSettings {
  readonly slots: number;
  readonly queueMax: number;
  readonly race: RaceSettings;
  /** Whether a pass throws. */
  readonly passFails: () => boolean;
}

interface Run {
  readonly request: GenerationRequest;
  readonly events: (EngineEvent | 'lost')[];
  readonly arrivedAt: number;
  isStarted: boolean;
}

const positions = 160;

export class SimulatedGenerator implements Generator {
  readonly model = 'simulated';
  readonly #settings: SimulationSettings;
  readonly #now: () => number;
  readonly #changed = new Pulse();
  readonly #runs = new Map<string, Run>();
  #engine: Engine;
  #runner: ScriptedRunner;
  #load: LoadState = { level: 1, calmSince: null };

  constructor(settings: SimulationSettings, now: () => number) {
    this.#settings = settings;
    this.#now = now;
    [this.#engine, this.#runner] = this.#createWorker();
  }

  level(): LoadState['level'] {
    return this.#load.level;
  }

  admits(): ReturnType<Generator['admits']> {
    if (this.#load.level < 5) return { ok: true };
    return { ok: false, code: 'overloaded', message: 'busy', retryAfterMs: 1000 };
  }

  async ready(): Promise<void> {}

  get isIdle(): boolean {
    return this.#engine.idle;
  }

  async *generate(request: GenerationRequest, signal: AbortSignal): AsyncGenerator<GenerationEvent> {
    const run: Run = { request, events: [], arrivedAt: this.#now(), isStarted: false };
    const id = request.generationId;
    this.#runs.set(id, run);
    const cancel = () => this.#engine.cancel(id);
    signal.addEventListener('abort', cancel, { once: true });
    this.#submit(run);
    if (signal.aborted) cancel();
    try {
      for (;;) {
        const event = run.events.shift();
        if (event === undefined) await this.#changed.wait();
        else if (event === 'lost') {
          yield { kind: 'lost', reason: 'the worker is gone' };
          return;
        } else if (event.kind === 'failed') throw new CodedError('generation_failed', event.message);
        else {
          const { id: _, ...rest } = event;
          yield rest;
          if (event.kind === 'alternative' || (event.kind === 'finished' && !event.hasMore)) return;
        }
      }
    } finally {
      signal.removeEventListener('abort', cancel);
      this.#runs.delete(id);
    }
  }

  /** One step of the worker; returns what is wrong with the engine's books afterwards. */
  async step(): Promise<readonly string[]> {
    for (const event of await this.#engine.step()) {
      const run = this.#runs.get(event.id);
      if (run === undefined) continue;
      run.isStarted = true;
      run.events.push(event);
    }
    const waiting = [...this.#runs.values()].filter(({ isStarted }) => !isStarted);
    const queueAgeMs = Math.max(0, ...waiting.map(({ arrivedAt }) => this.#now() - arrivedAt));
    this.#load = nextLoadState(this.#load, { queueAgeMs, base: 1, now: this.#now() });
    this.#changed.beat();
    return [...findViolations(this.#engine.snapshot()), ...this.#runner.violations];
  }

  /** The thread dies with all it was doing. */
  lose(): void {
    [this.#engine, this.#runner] = this.#createWorker();
    for (const run of this.#runs.values()) run.events.push('lost');
    this.#changed.beat();
  }

  #submit({ request, events }: Run): void {
    const { generationId, prompt, selection, written, reuse, ...rest } = request;
    if (selection.kind !== 'race') throw new Error('the simulation has races only');
    const plan = () => {
      const level = this.#load.level;
      return racePlanOf(level, {
        ...this.#settings.race,
        candidates: written === '' ? this.#settings.race.candidates : 1,
      });
    };
    const text = prompt.map((segment) => segment.text).join('') + written;
    const admission = this.#engine.submit({
      id: generationId,
      prompt: encode(text),
      selection: { kind: 'race', plan, judge },
      written,
      ...rest,
      ...(reuse && { reuse: { scope: reuse.scope, publicTokens: 0 } }),
    });
    if (admission !== 'accepted') {
      events.push({ kind: 'failed', id: generationId, message: admission });
      this.#changed.beat();
    }
  }

  #createWorker(): [Engine, ScriptedRunner] {
    const { slots, queueMax, passFails } = this.#settings;
    const onPass = () => {
      if (passFails()) throw new Error('the runtime failed');
    };
    const runner = new ScriptedRunner({ slots, positions, blocks: 20, onPass });
    const limits = { queueMax, prefillTokensMax: 16, chunkTokens: 8 };
    return [new Engine({ runner, vocabulary: scriptedVocabulary }, limits), runner];
  }
}

/** Any function of the text would do; filters some. */
function judge(contenders: readonly Contender[]): readonly Verdict[] {
  return contenders.map(({ text, tokens, logProb }) => ({
    score: logProb / Math.max(1, tokens) + (text.length % 7) / 10,
    features: { length: text.length },
    filterReason: text.includes('<|') ? 'role_leak' : null,
  }));
}

/** The newest characters; texts are short, and what exactly the model reads does not matter. */
function encode(text: string): Int32Array {
  const characters = Array.from(text).slice(-40);
  return Int32Array.from(
    characters,
    (character) => 3 + ((character.codePointAt(0) ?? 0) % (scriptedVocabulary.size - 3)),
  );
}

export { countTokens };

/** As `encode` counts. */
function countTokens(text: string): number {
  return Array.from(text).length;
}
