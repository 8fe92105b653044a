/** Two-sided 95 % quantiles of Student's t by degrees of freedom 1 to 30. */
const studentsT = [
  12.706, 4.303, 3.182, 2.776, 2.571, 2.447, 2.365, 2.306, 2.262, 2.228, 2.201, 2.179, 2.16, 2.145, 2.131,
  2.12, 2.11, 2.101, 2.093, 2.086, 2.08, 2.074, 2.069, 2.064, 2.06, 2.056, 2.052, 2.048, 2.045, 2.042,
];

export interface FittedLine {
  /** Of y per x. */
  readonly slope: number;
  /** 95 % interval of the slope. */
  readonly low: number;
  readonly high: number;
}

/** Least squares through at least three points. */
export function fitLine(points: readonly (readonly [x: number, y: number])[]): FittedLine {
  const count = points.length;
  const mean = (of: (point: readonly [number, number]) => number) =>
    points.reduce((sum, point) => sum + of(point), 0) / count;
  const [x, y] = [mean(([at]) => at), mean(([, value]) => value)];
  const spread = points.reduce((sum, [at]) => sum + (at - x) ** 2, 0);
  const slope = points.reduce((sum, [at, value]) => sum + (at - x) * (value - y), 0) / spread;
  const rest = points.reduce((sum, [at, value]) => sum + (value - y - slope * (at - x)) ** 2, 0);
  const freedom = count - 2;
  const error = Math.sqrt(rest / freedom / spread);
  const reach = (studentsT[freedom - 1] ?? 1.96) * error;
  return { slope, low: slope - reach, high: slope + reach };
}
