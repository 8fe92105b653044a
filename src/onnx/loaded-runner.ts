import type { ModelRunner } from '../engine/model-runner.ts';

/** A runner with its weights in memory. */
export interface LoadedRunner extends ModelRunner {
  /**
   * Checks what is taken for granted of the runtime and lets it make its memory and threads.
   *
   * @returns what was found worth a line in the log.
   * @throws Error that names an assumption without which replies would be wrong.
   */
  warmUp(): Promise<readonly string[]>;

  /**
   * Teacher forcing for several continuations of one prompt: the log-probability (natural logarithm) of each of their tokens given the
   * prompt and the tokens before it.
   *
   * @param prompt at least one token
   */
  scoreContinuations(
    prompt: Int32Array,
    continuations: readonly Int32Array[],
  ): Promise<readonly Float64Array[]>;
}
