import type { StepFigures } from './generation-loop.ts';

/** What all engines have done since the start. */
export interface WorkCounts {
  readonly steps: number;
  /** Rows of the batch that were taken, summed over the steps. */
  readonly rowSteps: number;
  readonly promptTokensRun: number;
  readonly promptTokensReused: number;
}

export const noWork: WorkCounts = { steps: 0, rowSteps: 0, promptTokensRun: 0, promptTokensReused: 0 };

const FIELDS = ['steps', 'rowSteps', 'promptTokensRun', 'promptTokensReused'] as const;

export const workBytes = FIELDS.length * BigInt64Array.BYTES_PER_ELEMENT;

/** Called by the workers. */
export function addStep(work: BigInt64Array, step: StepFigures): void {
  const counts = { ...step, steps: 1, rowSteps: step.rows };
  for (const [place, field] of FIELDS.entries()) Atomics.add(work, place, BigInt(counts[field]));
}

export function readWork(work: BigInt64Array): WorkCounts {
  const [steps = 0, rowSteps = 0, promptTokensRun = 0, promptTokensReused = 0] = FIELDS.map((_, place) =>
    Number(Atomics.load(work, place)),
  );
  return { steps, rowSteps, promptTokensRun, promptTokensReused };
}

export function sumWork(a: WorkCounts, b: WorkCounts): WorkCounts {
  return {
    steps: a.steps + b.steps,
    rowSteps: a.rowSteps + b.rowSteps,
    promptTokensRun: a.promptTokensRun + b.promptTokensRun,
    promptTokensReused: a.promptTokensReused + b.promptTokensReused,
  };
}
