import { evaluate, keyOf, unnamed, type Labels, type Sample, type Series } from "./evaluate.ts";
import { durationMs, parsePromql, type Expr } from "./parse.ts";

export type AlertRule = Readonly<{
  alert: string;
  expr: string;
  for: string;
  labels: Readonly<Record<string, string>>;
  annotations: Readonly<Record<string, string>>;
}>;

export type InputSeries = Readonly<{ series: string; values: string }>;

/** Alerts that fire at an instant, with the labels a notification would carry. */
export type Firing = Readonly<{ alert: string; labels: Labels }>;

/** Evaluates rules every `everyMs` from 0 to `untilMs` as Prometheus does, `for` included; what fires at the end. */
export function simulate(
  rules: readonly AlertRule[],
  series: readonly Series[],
  { untilMs, everyMs }: Readonly<{ untilMs: number; everyMs: number }>,
): readonly Firing[] {
  const watched = rules.map((rule) => ({ rule, expr: parsePromql(rule.expr), since: new Map<string, number>() }));
  let firing: Firing[] = [];
  for (let at = 0; at <= untilMs; at += everyMs) {
    firing = [];
    for (const { rule, expr, since } of watched) {
      const active = new Map(vectorOf(expr, series, at).map(({ labels }) => [keyOf(unnamed(labels)), unnamed(labels)]));
      for (const key of since.keys()) if (!active.has(key)) since.delete(key);
      for (const [key, labels] of active) {
        const began = since.get(key) ?? at;
        since.set(key, began);
        if (at - began >= durationMs(rule.for))
          firing.push({ alert: rule.alert, labels: { ...labels, ...rule.labels, alertname: rule.alert } });
      }
    }
  }
  return firing;
}

function vectorOf(expr: Expr, series: readonly Series[], at: number): readonly Sample[] {
  const found = evaluate(expr, series, at);
  if (typeof found === "number") throw new Error("an alert's expression must be a vector");
  return found;
}

/** promtool's notation: `metric{label="value"}` and `1 2+3x4 5x6 _ stale`, one value per `intervalMs` from 0. */
export function readSeries({ series, values }: InputSeries, intervalMs: number): Series {
  const selector = parsePromql(series);
  if (selector.kind !== "select") throw new Error(`"${series}" is not a series`);
  const labels = Object.fromEntries(selector.matchers.map(({ label, value }) => [label, value]));
  const samples: [number, number][] = [];
  let at = 0;
  for (const value of values.trim().split(/\s+/).flatMap(expand)) {
    if (value !== null) samples.push([at, value]);
    at += intervalMs;
  }
  return { labels: { __name__: selector.name, ...labels }, samples };
}

function expand(item: string): readonly (number | null)[] {
  if (item === "stale") return [Number.NaN];
  const blank = /^_(?:x(\d+))?$/.exec(item);
  if (blank) return Array.from({ length: Number(blank[1] ?? 1) }, () => null);
  const [, start, step = "0", times] = /^(-?[\d.]+)([+-][\d.]+)?(?:x(\d+))?$/.exec(item) ?? [];
  if (start === undefined) throw new Error(`"${item}" is not a value of promtool's notation`);
  // "1x3" is a value and three more.
  return Array.from({ length: Number(times ?? 0) + 1 }, (_, index) => Number(start) + index * Number(step));
}
