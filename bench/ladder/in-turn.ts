/** The lower rungs: candidates without an engine around them, written one after another or as one batch. */
import type { ModelRunner, RowLogits } from '../../src/engine/model-runner.ts';
import type { SamplingParams } from '../../src/engine/request.ts';
import { Sampler } from '../../src/engine/sampler.ts';

export interface Work {
  readonly prompt: Int32Array;
  readonly candidates: number;
  readonly replyTokens: number;
  readonly sampling: SamplingParams;
}

/**
 * Milliseconds for all candidates. Those that are written one after another have nothing to do with each other, so one is timed and
 * counted for all: the lowest rung would take minutes.
 */
export type Measure = (work: Work) => Promise<number>;

/** Everything is computed again for each token. */
export function withoutCache(runner: ModelRunner): Measure {
  return async (work) => {
    const draw = drawer(runner, work);
    const startedAt = performance.now();
    let text = work.prompt;
    for (let index = 0; index < work.replyTokens; index++) {
      text = Int32Array.of(...text, draw(await readPrompt(runner, text), { candidate: 0, index }));
    }
    return (performance.now() - startedAt) * work.candidates;
  };
}

/** Keys and values are kept; each candidate reads the prompt for itself. */
export function withCache(runner: ModelRunner): Measure {
  return async (work) => {
    const startedAt = performance.now();
    const logits = await readPrompt(runner, work.prompt);
    await writeOne(runner, work, logits);
    return (performance.now() - startedAt) * work.candidates;
  };
}

/** The prompt is read once for all candidates, which are written one after another. */
export function withSharedPrefill(runner: ModelRunner): Measure {
  return async (work) => {
    const startedAt = performance.now();
    const logits = await readPrompt(runner, work.prompt);
    const readAt = performance.now();
    await writeOne(runner, work, logits);
    return readAt - startedAt + (performance.now() - readAt) * work.candidates;
  };
}

/** All candidates as one batch, each with a copy of the prompt's keys and values. */
export function asBatch(runner: ModelRunner): Measure {
  return async (work) => {
    const draw = drawer(runner, work);
    const { prompt, candidates, replyTokens } = work;
    const startedAt = performance.now();
    const first = await readPrompt(runner, prompt);
    const slots = Array.from({ length: candidates }, (_, slot) => slot);
    for (const slot of slots) runner.copyPrompt(0, slot, prompt.length);
    let tokens = slots.map((candidate) => draw(first, { candidate, index: 0 }));
    for (let position = 0; position + 1 < replyTokens; position++) {
      const rows = await runner.decode(
        slots.map((slot) => ({
          slot,
          position,
          token: tokens[slot] ?? 0,
          prompt: { slot, length: prompt.length },
        })),
      );
      tokens = rows.map((logits, candidate) => draw(logits, { candidate, index: position + 1 }));
    }
    return performance.now() - startedAt;
  };
}

async function readPrompt(runner: ModelRunner, tokens: Int32Array): Promise<RowLogits> {
  const logits = await runner.prefill({ slot: 0, position: 0, tokens, wantsLogits: true });
  if (logits === null) throw new Error('no logits');
  return logits;
}

async function writeOne(runner: ModelRunner, work: Work, first: RowLogits): Promise<void> {
  const draw = drawer(runner, work);
  const prompt = { slot: 0, length: work.prompt.length };
  let token = draw(first, { candidate: 0, index: 0 });
  for (let position = 0; position + 1 < work.replyTokens; position++) {
    const [logits] = await runner.decode([{ slot: 0, position, token, prompt }]);
    if (logits === undefined) throw new Error('no logits');
    token = draw(logits, { candidate: 0, index: position + 1 });
  }
}

function drawer({ limits }: ModelRunner, { sampling }: Work) {
  const sampler = new Sampler(limits.topK);
  const written = new Set<number>();
  return (logits: RowLogits, { candidate, index }: { candidate: number; index: number }): number => {
    sampler.sample(logits, { sampling, index: candidate, generated: index, written });
    return sampler.token;
  };
}
