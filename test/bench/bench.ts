/**
 * One benchmark: a file `b<n>.ts` exports one as `bench`. Figures are ratios against a peer measured in the same run.
 */
export type Bench = Readonly<{
  /** Such as "B1". */
  id: string;
  title: string;
  run: (options: BenchOptions) => Promise<readonly BenchRow[]>;
}>;

export type BenchOptions = Readonly<{
  rounds: number;
  /** How long each side of a round is measured. */
  seconds: number;
  /** Tells what is going on; progress, not results. */
  say: (line: string) => void;
}>;

export type BenchRow = Readonly<{
  what: string;
  ours: number;
  peer: number;
  unit: string;
  /** Ours to the peer's, per round. */
  ratios: readonly number[];
  target: string;
  /** What a reader has to know to believe it. */
  note?: string;
  /** The peer is what it may cost at most: above it the run fails. */
  isBudget?: boolean;
}>;

export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1
    ? (sorted[middle] ?? Number.NaN)
    : ((sorted[middle - 1] ?? 0) + (sorted[middle] ?? 0)) / 2;
}

/** The value below which `share` (0 to 1) of the values lie. */
export function percentile(values: Float64Array | readonly number[], share: number): number {
  const sorted = Float64Array.from(values).sort();
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? Number.NaN;
}

/**
 * The middle 95 % of the medians of 2000 resamples (bootstrap, Efron 1979); as wide as the values when they are few.
 */
export function medianInterval(values: readonly number[]): readonly [low: number, high: number] {
  const medians = Array.from({ length: 2000 }, () =>
    median(values.map(() => values[Math.floor(Math.random() * values.length)] ?? 0)),
  );
  return [percentile(medians, 0.025), percentile(medians, 0.975)];
}

/**
 * The CPU seconds that this process takes for what `work` does, of all its threads; unlike a rate no matter how busy
 * the machine is.
 */
export async function cpuOf(work: () => Promise<unknown>): Promise<number> {
  const before = process.cpuUsage();
  await work();
  const { user, system } = process.cpuUsage(before);
  return (user + system) / 1e6;
}
