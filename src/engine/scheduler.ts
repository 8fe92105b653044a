import type { Sequence } from './sequence.ts';
import type { SequenceGroup } from './sequence-group.ts';

/** What one step starts. Plain data: making it changes nothing. */
export interface StepPlan {
  /** Runner-ups that give up their rows to those that start. */
  readonly yielding: readonly Sequence[];
  /** Waiting requests that start, in the order in which they take their slots. */
  readonly starting: readonly SequenceGroup[];
  /** At most the last one leaves a rest of its prompt for the next step: such a chunk uses up the budget. */
  readonly prompts: readonly PromptChunk[];
}

/** The next tokens of a prompt, run alone. */
export interface PromptChunk {
  readonly group: SequenceGroup;
  readonly tokens: number;
  /** Whether the prompt ends with it: the group then draws its first tokens and joins the batch. */
  readonly isLast: boolean;
}

export interface ScheduleState {
  readonly waiting: readonly SequenceGroup[];
  /** The group whose prompt is half done, if any. */
  readonly prefilling: SequenceGroup | null;
  readonly slotsFree: number;
  /** Runner-ups that write, in the order in which they give way. */
  readonly runnerUps: readonly Sequence[];
}

/**
 * First come, first served: who does not fit holds back everybody behind, so nobody starves. Prompts share
 * `prefillTokensMax` tokens a step; all that decodes decodes. As many runner-ups give way as those that start lack rows,
 * and none for a request that could not start even so.
 */
export function planStep(state: ScheduleState, prefillTokensMax: number): StepPlan {
  const starting: SequenceGroup[] = [];
  const prompts: PromptChunk[] = [];
  let tokensLeft = prefillTokensMax;
  let slotsTaken = 0;

  const planChunk = (group: SequenceGroup): boolean => {
    const { pending } = group;
    const tokens = chunkTokens(pending, prefillTokensMax);
    if (tokens > tokensLeft) return false;
    tokensLeft -= tokens;
    prompts.push({ group, tokens, isLast: tokens === pending });
    return true;
  };

  if (state.prefilling !== null) planChunk(state.prefilling);
  for (const group of state.waiting) {
    if (slotsTaken + group.slotsWanted > state.slotsFree + state.runnerUps.length) break;
    if (group.pending === 1) {
      // A prompt of one token is a row of the batch, and slots of prompts would stand between it and the batch.
      if (prompts.length > 0) break;
    } else if (!planChunk(group)) break;
    starting.push(group);
    slotsTaken += group.slotsWanted;
  }
  const yielding = state.runnerUps.slice(0, Math.max(0, slotsTaken - state.slotsFree));
  return { yielding, starting, prompts };
}

/**
 * Tokens of the next chunk: a function of the prompt alone, never of the neighbours, since where a prompt is cut
 * shows in the last bits of its logits. A single token is never left over: rows of one token belong to the batch.
 */
export function chunkTokens(pending: number, tokensMax: number): number {
  if (pending <= tokensMax) return pending;
  return pending - tokensMax === 1 ? tokensMax - 1 : tokensMax;
}

/** The requests in the engine: waiting ones in the order of arrival, running ones in the order of their start. */
export class Scheduler {
  readonly #waiting: SequenceGroup[] = [];
  readonly #running = new Map<string, SequenceGroup>();

  get waiting(): readonly SequenceGroup[] {
    return this.#waiting;
  }

  get running(): Iterable<SequenceGroup> {
    return this.#running.values();
  }

  get runningCount(): number {
    return this.#running.size;
  }

  /** Slots that those who wait would take, as of their last plans. */
  get slotsAwaited(): number {
    return this.#waiting.reduce((sum, group) => sum + group.slotsWanted, 0);
  }

  /** Runner-ups that write, each in a slot; those of the requests that started last give way first. */
  get runnerUps(): readonly Sequence[] {
    return [...this.#running.values()].flatMap(({ writingRunnerUp }) => writingRunnerUp ?? []).reverse();
  }

  enqueue(group: SequenceGroup): void {
    this.#waiting.push(group);
  }

  /** Lets those who wait ask for their plans again: the load may have changed. Who has none any more waits no longer. */
  replan(slots: number): void {
    for (const group of [...this.#waiting]) {
      group.replan(slots);
      if (group.isFailed) this.remove(group);
    }
  }

  plan(slotsFree: number, prefillTokensMax: number): StepPlan {
    const prefilling = [...this.#running.values()].find((group) => group.pending > 1) ?? null;
    const { waiting, runnerUps } = this;
    return planStep({ waiting, prefilling, slotsFree, runnerUps }, prefillTokensMax);
  }

  /** Moves the first `groups` of the queue to the running ones. */
  start(groups: readonly SequenceGroup[]): void {
    for (const group of this.#waiting.splice(0, groups.length)) this.#running.set(group.request.id, group);
  }

  remove(group: SequenceGroup): void {
    if (this.#running.delete(group.request.id)) return;
    const place = this.#waiting.indexOf(group);
    if (place >= 0) this.#waiting.splice(place, 1);
  }
}
