/** When people come: decided beforehand, so that a slow server gets no fewer of them. */
import { readFileSync } from 'node:fs';
import { createUniform } from '../../models/tiny/random.ts';

export interface Phase {
  readonly name: string;
  /** Seconds from the beginning of the measurement. */
  readonly from: number;
  readonly to: number;
}

/** Phases one after another, each `seconds` long, with `factors` of `rate` arrivals per second: Poisson, so bursts come by themselves. */
export function poissonArrivals(
  { factors, seconds, rate }: { factors: readonly number[]; seconds: number; rate: number },
  seed: number,
): { readonly phases: readonly Phase[]; readonly times: readonly number[] } {
  const random = createUniform(seed);
  const times: number[] = [];
  const phases = factors.map((factor, place) => {
    const from = place * seconds;
    const to = from + seconds;
    for (let time = from; ; ) {
      time += -Math.log(1 - random()) / (factor * rate);
      if (time >= to) break;
      times.push(time);
    }
    return { name: `${factor}x`, from, to };
  });
  return { phases, times };
}

/** A file with a time in seconds on each line, as one phase. @throws Error that names a line which is no time */
export function traceArrivals(file: string): ReturnType<typeof poissonArrivals> {
  const times = readFileSync(file, 'utf8')
    .split('\n')
    .filter((line) => line.trim() !== '')
    .map((line, place) => {
      const time = Number(line);
      if (!(time >= 0)) throw new Error(`${file}, line ${place + 1}: "${line}" is no time in seconds`);
      return time;
    })
    .sort((a, b) => a - b);
  const to = Math.ceil(times.at(-1) ?? 0) + 1;
  return { phases: [{ name: 'trace', from: 0, to }], times };
}
