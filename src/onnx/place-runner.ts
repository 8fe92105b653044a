import type { LoadedRunner } from './loaded-runner.ts';
import { openRunner, type RunnerOptions } from './open-runner.ts';
import type { Provider } from './session.ts';

export interface PlacedRunner {
  readonly runner: LoadedRunner;
  /** What is worth a line in the log. */
  readonly notes: readonly string[];
}

/**
 * Opens and warms a model where it is wanted, else on the processor, with a line that says why. `auto` is the processor: no GPU has been
 * measured to be faster yet, and a software device would be slower by far.
 *
 * @throws when the processor cannot run it either.
 */
export async function placeRunner(
  options: Omit<RunnerOptions, 'provider'>,
  wanted: Provider | 'auto',
): Promise<PlacedRunner> {
  if (wanted === 'auto' || wanted === 'cpu') return await openWarm({ ...options, provider: 'cpu' });
  try {
    return await openWarm({ ...options, provider: wanted });
  } catch (error) {
    const { runner, notes } = await openWarm({ ...options, provider: 'cpu' });
    const reason = reasonOf((error as Error).message);
    return {
      runner,
      notes: [
        `EXECUTION_PROVIDER=${wanted} cannot be had, the model runs on the processor: ${reason}`,
        ...notes,
      ],
    };
  }
}

async function openWarm(options: RunnerOptions): Promise<PlacedRunner> {
  const runner = await openRunner(options);
  try {
    return { runner, notes: await runner.warmUp() };
  } catch (error) {
    await runner[Symbol.asyncDispose]();
    throw error;
  }
}

/** The first line; of an assertion of the runtime what follows the place in its sources and the condition. */
function reasonOf(message: string): string {
  const line = message.split('\n')[0] ?? '';
  return /\.(?:cc|h):\d+ .*? (?:was|is) (?:false|true)\. (.+)$/.exec(line)?.[1] ?? line;
}
