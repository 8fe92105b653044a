import type { SequenceGroup } from './sequence-group.ts';

/** What one step runs. Plain data: making it changes nothing, so a step that fails has nothing to undo. */
export interface StepPlan {
  /** Waiting requests that start, in the order in which they take their slots. */
  readonly starting: readonly SequenceGroup[];
  /** At most the last one leaves a rest of its prompt for the next step: such a chunk uses up the budget. */
  readonly prompts: readonly PromptChunk[];
  /** Of those that start: prompts of a single token, whose sequences join the batch at once. */
  readonly joining: readonly SequenceGroup[];
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
}

/**
 * First come, first served: who does not fit holds back everybody behind, so nobody starves. Prompts share
 * `prefillTokensMax` tokens a step; all that decodes decodes.
 */
export function planStep(state: ScheduleState, prefillTokensMax: number): StepPlan {
  const starting: SequenceGroup[] = [];
  const prompts: PromptChunk[] = [];
  const joining: SequenceGroup[] = [];
  let tokensLeft = prefillTokensMax;
  let slotsLeft = state.slotsFree;

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
    if (group.slotsWanted > slotsLeft) break;
    if (group.pending === 1) {
      // A prompt of one token is a row of the batch, and slots of prompts would stand between it and the batch.
      if (prompts.length > 0) break;
      joining.push(group);
    } else if (!planChunk(group)) break;
    starting.push(group);
    slotsLeft -= group.slotsWanted;
  }
  return { starting, prompts, joining };
}

/**
 * Runner-ups that have to give up their rows so that the first one who waits can start: those of the latest starts. None when even
 * all of them together would not do.
 */
function planYields(
  { waiting, slotsFree }: Pick<ScheduleState, 'waiting' | 'slotsFree'>,
  running: Iterable<SequenceGroup>,
): readonly SequenceGroup[] {
  const missing = (waiting[0]?.slotsWanted ?? 0) - slotsFree;
  if (missing <= 0) return [];
  const yielding = [...running].filter((group) => group.writingRunnerUp !== null);
  return missing > yielding.length ? [] : yielding.slice(-missing);
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

  /** Slots that those who wait would take now. */
  get slotsAwaited(): number {
    return this.#waiting.reduce((sum, group) => sum + group.slotsWanted, 0);
  }

  /** Runner-ups that write; each holds one slot. */
  get runnerUps(): number {
    return [...this.#running.values()].filter((group) => group.writingRunnerUp !== null).length;
  }

  /** Lets those who wait ask for their plans again: the load may have changed. */
  replan(slots: number): void {
    for (const group of this.#waiting) group.replan(slots);
  }

  enqueue(group: SequenceGroup): void {
    this.#waiting.push(group);
  }

  /** Groups whose runner-up makes room now. */
  yields(slotsFree: number): readonly SequenceGroup[] {
    return planYields({ waiting: this.#waiting, slotsFree }, this.#running.values());
  }

  plan(slotsFree: number, prefillTokensMax: number): StepPlan {
    const prefilling = [...this.#running.values()].find((group) => group.pending > 1) ?? null;
    return planStep({ waiting: this.#waiting, prefilling, slotsFree }, prefillTokensMax);
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
