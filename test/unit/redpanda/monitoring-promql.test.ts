import { expect, test } from "bun:test";
import { evaluate, type Labels } from "../../support/promql/evaluate.ts";
import { durationMs, parsePromql } from "../../support/promql/parse.ts";
import { readSeries } from "../../support/promql/simulate.ts";

const world = [
  ['c{a="1",b="x"}', "0+10x10"],
  ['c{a="2",b="x"}', "100 110 5 15 25x7"],
  ['g{a="1"}', "5x10"],
  ['g{a="2"}', "1 2 3 4 5 6 _ _ _ _ _"],
  ['late{a="1"}', "_ _ _ _ _ _ _ _ 7 9 11"],
  ['gone{a="1"}', "1x8 stale"],
  ['h_bucket{le="0.1"}', "0+10x10"],
  ['h_bucket{le="1"}', "0+30x10"],
  ['h_bucket{le="+Inf"}', "0+40x10"],
].map(([series = "", values = ""]) => readSeries({ series, values }, 60_000));

const ask = (query: string, minute = 10): Readonly<Record<string, number>> | number => {
  const found = evaluate(parsePromql(query), world, minute * 60_000);
  if (typeof found === "number") return found;
  const name = ({ __name__, ...labels }: Labels) => `${__name__ ?? ""}${JSON.stringify(labels)}`;
  return Object.fromEntries(found.map(({ labels, value }) => [name(labels), Math.round(value * 1e6) / 1e6]));
};

// The answers are Prometheus's: promtool 2.42 gives the same for these series.
const table: readonly (readonly [query: string, answer: ReturnType<typeof ask>])[] = [
  ["1 + 2 * 3 - 4 / 2", 5],
  ["time()", 600],
  ['g{a="1"}', { 'g{"a":"1"}': 5 }],
  ["g", { 'g{"a":"1"}': 5, 'g{"a":"2"}': 6 }],
  ["gone", {}],
  ['g{a=~"1|7"} > 4', { 'g{"a":"1"}': 5 }],
  ['g{a!="1"} > 6', {}],
  ["sum(g)", { "{}": 11 }],
  ["max by (b) (c)", { '{"b":"x"}': 100 }],
  ["count by (a) (g or c)", { '{"a":"1"}': 2, '{"a":"2"}': 2 }],
  ["increase(c[5m])", { '{"a":"1","b":"x"}': 50, '{"a":"2","b":"x"}': 0 }],
  ['increase(c{a="2"}[10m])', { '{"a":"2","b":"x"}': 35 }],
  ['rate(c{a="1"}[5m])', { '{"a":"1","b":"x"}': 0.166667 }],
  ["increase(late[10m])", { '{"a":"1"}': 5 }],
  ["delta(late[10m])", { '{"a":"1"}': 5 }],
  ['changes(c{a="2"}[10m])', { '{"a":"2","b":"x"}': 4 }],
  ["min_over_time(late[10m])", { '{"a":"1"}': 7 }],
  ["c / on (a) g", { '{"a":"1"}': 20, '{"a":"2"}': 4.166667 }],
  ["c > on (a) group_left () 10 * g", { 'c{"a":"1","b":"x"}': 100 }],
  ["g unless on (a) c > 50", { 'g{"a":"2"}': 6 }],
  ["g and on (a) c > 50", { 'g{"a":"1"}': 5 }],
  ["(sum(nothing) or vector(0)) < 16", { "{}": 0 }],
  ["histogram_quantile(0.5, sum by (le) (rate(h_bucket[5m])))", { "{}": 0.55 }],
  ["histogram_quantile(0.99, h_bucket)", { "{}": 1 }],
];

for (const [query, answer] of table)
  test(`${query} is what Prometheus says`, () => {
    expect(ask(query)).toEqual(answer);
  });

test("a series is told for five minutes after its last sample, and not before its first", () => {
  expect(ask('g{a="2"}', 9)).toEqual({ 'g{"a":"2"}': 6 });
  expect(ask("late", 7)).toEqual({});
  expect(ask('g{a="2"}', 11)).toEqual({});
});

test("what the evaluator does not know is refused, not guessed", () => {
  for (const query of [
    "g offset 5m",
    "topk(3, g)",
    "rate(g)",
    "g[5m]",
    "c / on (b) c",
    "predict_linear(g[5m], 60)",
    "g{a~1}",
  ])
    expect(() => ask(query)).toThrow();
  expect(() => durationMs("5 minutes")).toThrow();
});
