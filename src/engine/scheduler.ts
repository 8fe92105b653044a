import type { Sequence } from './sequence.ts';
import type { SequenceGroup } from './sequence-group.ts';

/** What one step starts. Plain data: making it changes nothing. */
export interface StepPlan {
  /** Runner-ups that give up their rows to those that start. */
  readonly yielding: readonly Sequence[];
  /** Waiting requests that start, in the order in which they take their slots. */
  readonly starting: readonly SequenceGroup[];
  /** In the order in which they run; those of one prompt follow each other. Only the last prompt may stay unfinished. */
  readonly prompts: readonly PromptChunk[];
}

/** The next tokens of a prompt, run alone. */
export interface PromptChunk {
  readonly group: SequenceGroup;
  /** Tokens of the prompt before it. */
  readonly position: number;
  readonly tokens: number;
  /** Whether the prompt ends with it: the group then draws its first tokens and joins the batch. */
  readonly isLast: boolean;
}

export interface PrefillLimits {
  /** Prompt tokens in one step, so that a prompt does not stall the replies that are running. */
  readonly prefillTokensMax: number;
  /** Prompts whose pieces may be kept are cut at the multiples of it; the others at those of `prefillTokensMax`, which is not less. */
  readonly chunkTokens: number;
}

export interface ScheduleState {
  /** In the order in which they may start. */
  readonly waiting: readonly SequenceGroup[];
  /** The group whose prompt is half done, if any. */
  readonly prefilling: SequenceGroup | null;
  readonly slotsFree: number;
  /** Runner-ups that write, in the order in which they give way. */
  readonly runnerUps: readonly Sequence[];
  /** Tokens at the beginning of a waiting prompt that need not run again: a multiple of `chunkTokens`, and not all. */
  readonly reusableTokens: (group: SequenceGroup) => number;
}

/**
 * One after another: who does not fit holds back everybody behind, so nobody starves. Prompts share
 * `prefillTokensMax` tokens a step; all that decodes decodes. As many runner-ups give way as those that start lack rows,
 * and none for a request that could not start even so.
 */
export function planStep(state: ScheduleState, limits: PrefillLimits): StepPlan {
  const starting: SequenceGroup[] = [];
  const prompts: PromptChunk[] = [];
  let tokensLeft = limits.prefillTokensMax;
  let slotsTaken = 0;

  /** @returns whether a piece of it runs; an unfinished prompt uses up the budget. */
  const planPrompt = (group: SequenceGroup, cached: number): boolean => {
    const chunkTokens = group.request.reuse ? limits.chunkTokens : limits.prefillTokensMax;
    const chunks = cutPrompt(group, cached, { chunkTokens, tokensMax: tokensLeft });
    const isComplete = chunks.at(-1)?.isLast ?? false;
    tokensLeft = isComplete ? tokensLeft - chunks.reduce((sum, { tokens }) => sum + tokens, 0) : 0;
    prompts.push(...chunks);
    return chunks.length > 0;
  };

  if (state.prefilling !== null) planPrompt(state.prefilling, state.prefilling.cached);
  for (const group of state.waiting) {
    if (slotsTaken + group.slotsWanted > state.slotsFree + state.runnerUps.length) break;
    if (!planPrompt(group, state.reusableTokens(group))) break;
    starting.push(group);
    slotsTaken += group.slotsWanted;
  }
  const yielding = state.runnerUps.slice(0, Math.max(0, slotsTaken - state.slotsFree));
  return { yielding, starting, prompts };
}

/**
 * The next pieces of a prompt. They end at multiples of `chunkTokens`, counted from the beginning of the prompt, and never
 * elsewhere but at its end: where a prompt is cut shows in the last bits of its logits, so it must follow from the request alone.
 */
function cutPrompt(
  group: SequenceGroup,
  cached: number,
  { chunkTokens, tokensMax }: { chunkTokens: number; tokensMax: number },
): PromptChunk[] {
  const end = group.request.prompt.length;
  const chunks: PromptChunk[] = [];
  let position = cached;
  let tokensLeft = tokensMax;
  while (position < end) {
    const tokens = Math.min(chunkTokens - (position % chunkTokens), end - position);
    if (tokens > tokensLeft) break;
    chunks.push({ group, position, tokens, isLast: position + tokens === end });
    position += tokens;
    tokensLeft -= tokens;
  }
  return chunks;
}

/**
 * The order in which those who wait may start: first those who have nothing running, then those with one request, and so on, and
 * within each in the order of arrival. So one who asks for much at once waits for himself, and not the others for him.
 * Nobody starves: whoever has nothing running is overtaken only by those who came before.
 *
 * @param waiting in the order of arrival.
 */
export function orderFairly(
  waiting: readonly SequenceGroup[],
  running: Iterable<SequenceGroup>,
): readonly SequenceGroup[] {
  const counts = new Map<string | undefined, number>();
  const countUp = ({ request }: SequenceGroup): number => {
    const before = counts.get(request.reuse?.scope) ?? 0;
    counts.set(request.reuse?.scope, before + 1);
    return before;
  };
  for (const group of running) countUp(group);
  const ranked = waiting.map((group) => ({ group, rank: countUp(group) }));
  return ranked.sort((a, b) => a.rank - b.rank).map(({ group }) => group);
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

  plan(slotsFree: number, limits: PrefillLimits, reusableTokens: ScheduleState['reusableTokens']): StepPlan {
    const prefilling = [...this.#running.values()].find((group) => group.pending > 0) ?? null;
    const { runnerUps } = this;
    const waiting = orderFairly(this.#waiting, this.running);
    return planStep({ waiting, prefilling, slotsFree, runnerUps, reusableTokens }, limits);
  }

  /** Moves `groups` from the queue to the running ones. */
  start(groups: readonly SequenceGroup[]): void {
    for (const group of groups) {
      this.remove(group);
      this.#running.set(group.request.id, group);
    }
  }

  remove(group: SequenceGroup): void {
    if (this.#running.delete(group.request.id)) return;
    const place = this.#waiting.indexOf(group);
    if (place >= 0) this.#waiting.splice(place, 1);
  }
}
