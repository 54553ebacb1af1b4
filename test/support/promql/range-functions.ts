type Samples = readonly (readonly [atMs: number, value: number])[];
type Range = Readonly<{ fromMs: number; toMs: number; rangeMs: number }>;
/** Null where there are too few samples to say anything. */
type RangeFunction = (samples: Samples, range: Range) => number | null;

/** Prometheus's functions over a range, those that are used here. */
export const rangeFunctions: Readonly<Record<string, RangeFunction>> = {
  rate: (samples, range) => perRange(extrapolated(samples, range, true), 1000 / range.rangeMs),
  increase: (samples, range) => extrapolated(samples, range, true),
  delta: (samples, range) => extrapolated(samples, range, false),
  changes: (samples) =>
    samples.length === 0
      ? null
      : samples.filter(([, value], index) => index > 0 && samples[index - 1]?.[1] !== value).length,
  max_over_time: (samples) => (samples.length === 0 ? null : Math.max(...samples.map(([, value]) => value))),
  min_over_time: (samples) => (samples.length === 0 ? null : Math.min(...samples.map(([, value]) => value))),
  avg_over_time: (samples) =>
    samples.length === 0 ? null : samples.reduce((sum, [, value]) => sum + value, 0) / samples.length,
};

const perRange = (value: number | null, factor: number): number | null => (value === null ? null : value * factor);

/**
 * The difference between the ends, extended to the whole range as Prometheus does: at most half a step beyond unseen
 * ends.
 */
function extrapolated(samples: Samples, { fromMs, toMs }: Range, isCounter: boolean): number | null {
  const [first, last] = [samples[0], samples.at(-1)];
  if (first === undefined || last === undefined || samples.length < 2) return null;
  let difference = last[1] - first[1];
  if (isCounter)
    for (const [index, [, value]] of samples.entries()) {
      const before = samples[index - 1]?.[1] ?? 0;
      if (index > 0 && value < before) difference += before;
    }
  const sampledMs = last[0] - first[0];
  const stepMs = sampledMs / (samples.length - 1);
  let toStart = first[0] - fromMs;
  if (isCounter && difference > 0 && first[1] >= 0) toStart = Math.min(toStart, sampledMs * (first[1] / difference));
  const reach = (gapMs: number) => (gapMs < stepMs * 1.1 ? gapMs : stepMs / 2);
  return (difference * (sampledMs + reach(toStart) + reach(toMs - last[0]))) / sampledMs;
}
