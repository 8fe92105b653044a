/** The server that is killed: when, follows the seed and what happens. */
import { type FSWatcher, mkdirSync, watch } from 'node:fs';
import { type CliProcess, startCli } from '../cli-process.ts';
import type { Moment } from './person.ts';

/**
 * Where in its life: before it listens, while it recovers what the last one left; as soon as it listens; or at the n-th time that something
 * happens. Deltas are the most of what happens.
 */
export type Death = 'recovering' | 'listening' | Moment;
const deathsWhileUp: readonly Exclude<Death, 'recovering'>[] = [
  'listening',
  'asked',
  'answered',
  'written',
  'delta',
  'delta',
];
const momentsMax = 40;
/** Writes that a start makes in the files of its store are few. */
const writesOfStartMax = 6;

export class Victim implements AsyncDisposable {
  readonly killedAt: Partial<Record<Death, number>> = {};
  readonly #env: Readonly<Record<string, string>>;
  readonly #pick: (below: number) => number;
  readonly #watcher: FSWatcher;
  #countdown: { readonly moment: Moment; left: number } | null = null;
  #server: CliProcess | null = null;
  #kills = 0;

  /** @param watched the directory of its store. */
  constructor(
    env: Readonly<Record<string, string>>,
    { pick, watched }: { readonly pick: (below: number) => number; readonly watched: string },
  ) {
    this.#env = env;
    this.#pick = pick;
    mkdirSync(watched, { recursive: true });
    this.#watcher = watch(watched, () => this.happened('written'));
  }

  get kills(): number {
    return this.#kills;
  }

  /** Resolves with its address when one listens; where it may die before that, it is started again. */
  async start({ mayDie }: { readonly mayDie: boolean }): Promise<string> {
    for (let canDie = mayDie; ; canDie = false) {
      if (canDie && this.#pick(3) === 0) this.#arm('written', writesOfStartMax);
      const server = startCli(['serve'], this.#env);
      this.#server = server;
      const killsBefore = this.#kills;
      try {
        const [, address = ''] = await server.seen(/listens on (http:\S+?)"/);
        this.#countdown = null;
        if (this.#kills === killsBefore) return address;
      } catch (error) {
        if (this.#kills === killsBefore) throw error;
      }
      this.#count('recovering');
      await server.ended;
    }
  }

  /** Resolves when it has been killed. @param ready called when it should be used: it will not die before that */
  async die(ready: () => void): Promise<void> {
    const death = deathsWhileUp[this.#pick(deathsWhileUp.length)]!;
    this.#count(death);
    if (death === 'listening') this.#kill();
    else {
      this.#arm(death, momentsMax);
      ready();
    }
    await this.#server?.ended;
  }

  happened(moment: Moment): void {
    const countdown = this.#countdown;
    if (countdown?.moment === moment && --countdown.left <= 0) this.#kill();
  }

  async stop(): Promise<void> {
    this.#server?.child.kill('SIGTERM');
    await this.#server?.ended;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#watcher.close();
    await this.#server?.[Symbol.asyncDispose]();
  }

  #arm(moment: Moment, max: number): void {
    this.#countdown = { moment, left: 1 + this.#pick(max) };
  }

  #kill(): void {
    this.#countdown = null;
    this.#kills++;
    this.#server?.child.kill('SIGKILL');
  }

  #count(death: Death): void {
    this.killedAt[death] = (this.killedAt[death] ?? 0) + 1;
  }
}
