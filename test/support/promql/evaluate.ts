import type { Expr, Matcher, Matching } from "./parse.ts";
import { rangeFunctions } from "./range-functions.ts";

export type Labels = Readonly<Record<string, string>>;
/** One series: samples rise in time (ms); NaN ends it (a stale marker). The name is the label `__name__`. */
export type Series = { readonly labels: Labels; readonly samples: (readonly [atMs: number, value: number])[] };
export type Sample = Readonly<{ labels: Labels; value: number }>;
type Value = number | readonly Sample[];

// Both ends count, for selectors as for ranges: so it is in Prometheus 2; 3 leaves the older end out.
const lookBackMs = 300_000;

/** What Prometheus answers to an instant query at `atMs`. A number stands for a scalar. */
export function evaluate(expr: Expr, series: readonly Series[], atMs: number): Value {
  const value = (inner: Expr): Value => evaluate(inner, series, atMs);
  const vector = (inner: Expr): readonly Sample[] => {
    const found = value(inner);
    if (typeof found === "number") throw new Error("a vector is wanted where a scalar stands");
    return found;
  };
  switch (expr.kind) {
    case "number":
      return expr.value;
    case "select": {
      if (expr.rangeMs !== null) throw new Error(`${expr.name} has a range that no function takes`);
      return select(expr.name, expr.matchers, series).flatMap(({ labels, samples }) => {
        const last = samples.findLast(([at]) => at <= atMs);
        if (last === undefined || last[0] < atMs - lookBackMs || Number.isNaN(last[1])) return [];
        return [{ labels, value: last[1] }];
      });
    }
    case "call":
      return call(expr, { series, atMs, vector, value });
    case "aggregate": {
      const groups = Map.groupBy(vector(expr.of), ({ labels }) => keyOf(keep(labels, expr.by)));
      return [...groups.values()].map((samples) => {
        const values = samples.map((sample) => sample.value);
        return { labels: keep(samples[0]?.labels ?? {}, expr.by), value: aggregate(expr.op, values) };
      });
    }
    case "binary":
      return combine(expr.op, value(expr.left), value(expr.right), expr.matching);
  }
}

type World = Readonly<{
  series: readonly Series[];
  atMs: number;
  vector: (expr: Expr) => readonly Sample[];
  value: (expr: Expr) => Value;
}>;

function call({ name, args }: Extract<Expr, { kind: "call" }>, world: World): Value {
  const [first, second] = args;
  if (name === "time") return world.atMs / 1000;
  if (first === undefined) throw new Error(`${name}() needs an argument`);
  if (name === "vector") return [{ labels: {}, value: Number(world.value(first)) }];
  if (name === "histogram_quantile" && second !== undefined)
    return quantile(Number(world.value(first)), world.vector(second));
  const over = rangeFunctions[name];
  if (over === undefined || first.kind !== "select" || first.rangeMs === null)
    throw new Error(`${name}() is not known here, or wants a range`);
  const [from, rangeMs] = [world.atMs - first.rangeMs, first.rangeMs];
  return select(first.name, first.matchers, world.series).flatMap(({ labels, samples }) => {
    const inside = samples.filter(([at, value]) => at >= from && at <= world.atMs && !Number.isNaN(value));
    const result = over(inside, { fromMs: from, toMs: world.atMs, rangeMs });
    return result === null ? [] : [{ labels: unnamed(labels), value: result }];
  });
}

function select(name: string, matchers: readonly Matcher[], series: readonly Series[]): readonly Series[] {
  return series.filter(
    ({ labels }) => labels["__name__"] === name && matchers.every((matcher) => matches(matcher, labels)),
  );
}

function matches({ label, op, value }: Matcher, labels: Labels): boolean {
  const found = labels[label] ?? "";
  const same = op.endsWith("~") ? new RegExp(`^(?:${value})$`).test(found) : found === value;
  return op.startsWith("!") ? !same : same;
}

function aggregate(op: string, values: readonly number[]): number {
  const sum = values.reduce((one, other) => one + other, 0);
  const results: Record<string, number> = {
    sum,
    count: values.length,
    avg: sum / values.length,
    min: Math.min(...values),
    max: Math.max(...values),
  };
  return results[op] ?? Number.NaN;
}

/** As Prometheus: linear inside the bucket; the lower bound of the first is 0; in the last, the bound below it. */
function quantile(q: number, buckets: readonly Sample[]): readonly Sample[] {
  const groups = Map.groupBy(buckets, ({ labels }) => keyOf(without(labels, "le")));
  return [...groups.values()].flatMap((samples) => {
    const labels = without(samples[0]?.labels ?? {}, "le");
    const sorted = samples
      .map((one) => ({ upTo: Number((one.labels["le"] ?? "").replace("+Inf", "Infinity")), count: one.value }))
      .toSorted((a, b) => a.upTo - b.upTo);
    const rank = q * (sorted.at(-1)?.count ?? 0);
    const index = sorted.findIndex(({ count }) => count >= rank);
    const bucket = sorted[index];
    if (bucket === undefined || sorted.at(-1)?.count === 0) return [];
    const { upTo: low, count: below } = sorted[index - 1] ?? { upTo: 0, count: 0 };
    const value =
      bucket.upTo === Infinity ? low : low + (bucket.upTo - low) * ((rank - below) / (bucket.count - below));
    return [{ labels: unnamed(labels), value }];
  });
}

function combine(op: string, left: Value, right: Value, matching: Matching): Value {
  if (typeof left === "number" && typeof right === "number") return arithmetic(op, left, right) ?? Number.NaN;
  if (typeof right === "number")
    return (left as readonly Sample[]).flatMap((one) => result(op, one.value, right, one.value, one.labels));
  if (typeof left === "number") return right.flatMap((one) => result(op, left, one.value, one.value, one.labels));
  const signature = ({ labels }: Sample) => keyOf(signed(labels, matching));
  if (op === "or") return [...left, ...right.filter((one) => !left.map(signature).includes(signature(one)))];
  if (op === "and" || op === "unless")
    return left.filter((one) => right.map(signature).includes(signature(one)) === (op === "and"));
  const [many, one] = matching.group === "right" ? [right, left] : [left, right];
  const partners = Map.groupBy(one, signature);
  if (matching.group === null && new Set(many.map(signature)).size < many.length)
    throw new Error(`several series on the left of ${op} match one on the right`);
  return many.flatMap((sample) => {
    const [partner, stray] = partners.get(signature(sample)) ?? [];
    if (partner === undefined) return [];
    if (stray !== undefined) throw new Error(`several series match one at ${op}: ${signature(sample)}`);
    const [a, b] = matching.group === "right" ? [partner.value, sample.value] : [sample.value, partner.value];
    const labels = matching.group === null ? signed(sample.labels, matching) : sample.labels;
    return result(op, a, b, a, labels);
  });
}

function result(op: string, a: number, b: number, kept: number, labels: Labels): readonly Sample[] {
  const value = arithmetic(op, a, b);
  if (value !== null) return [{ labels: unnamed(labels), value }];
  const holds: Record<string, boolean> = {
    "==": a === b,
    "!=": a !== b,
    ">": a > b,
    "<": a < b,
    ">=": a >= b,
    "<=": a <= b,
  };
  return holds[op] === true ? [{ labels, value: kept }] : [];
}

function arithmetic(op: string, a: number, b: number): number | null {
  const values: Record<string, number> = { "+": a + b, "-": a - b, "*": a * b, "/": a / b };
  return values[op] ?? null;
}

/** The labels two series must share to belong together. */
function signed(labels: Labels, { on, ignoring }: Matching): Labels {
  const rest = Object.entries(unnamed(labels)).filter(([name]) => !ignoring.includes(name));
  return on === null ? Object.fromEntries(rest) : keep(labels, on);
}

function keep(labels: Labels, names: readonly string[]): Labels {
  return Object.fromEntries(Object.entries(labels).filter(([name]) => names.includes(name)));
}

export function unnamed(labels: Labels): Labels {
  return without(labels, "__name__");
}

function without(labels: Labels, name: string): Labels {
  return Object.fromEntries(Object.entries(labels).filter(([label]) => label !== name));
}

export function keyOf(labels: Labels): string {
  return JSON.stringify(Object.entries(labels).toSorted(([a], [b]) => (a < b ? -1 : 1)));
}
