import { describe, expect, test } from "bun:test";
import { readRules, readRuleTests, type RuleTest } from "../../support/monitoring-files.ts";
import { durationMs, parsePromql } from "../../support/promql/parse.ts";
import { readSeries, simulate, type Firing } from "../../support/promql/simulate.ts";

const rules = readRules();
const { tests, evaluation_interval } = readRuleTests();

/** What fires at the end of the time given, of all rules, on the series of a test. */
function firingAt(world: RuleTest, time: string): readonly Firing[] {
  const series = world.input_series.map((one) => readSeries(one, durationMs(world.interval)));
  return simulate(rules, series, { untilMs: durationMs(time), everyMs: durationMs(evaluation_interval) });
}

/** The one form in which alerts.test.yml asks. */
const askedAlert = (expr: string): string | undefined =>
  /^count\(ALERTS\{alertname="(\w+)",alertstate="firing"\}\) or vector\(0\)$/.exec(expr)?.[1];

describe("every alert", () => {
  for (const rule of rules)
    test(`${rule.alert} can be read and says how bad it is, for how long, and what is wrong`, () => {
      parsePromql(rule.expr);
      expect(rule.for).toMatch(/^\d+[smh]$/);
      expect(rule.labels).toEqual({ severity: expect.stringMatching(/^(critical|warning)$/) });
      expect(rule.annotations["summary"]?.length).toBeGreaterThan(10);
      expect(rule.annotations["description"]).toMatch(/^\S[\s\S]{20,}[.]$/);
    });

  test("has a name of its own, and a test that sees it quiet first and firing later", () => {
    const names = rules.map(({ alert }) => alert);
    expect(new Set(names).size).toBe(names.length);
    expect(tests.map(({ name }) => name).toSorted()).toEqual(names.toSorted());
    for (const { name, promql_expr_test } of tests) {
      expect(promql_expr_test.map(({ expr }) => askedAlert(expr))).toEqual([name, name]);
      const counts = promql_expr_test.map(({ exp_samples }) => exp_samples[0]?.value ?? 0);
      expect(counts[0]).toBe(0);
      expect(counts[1]).toBeGreaterThan(0);
    }
  });
});

describe("driven by the series of alerts.test.yml", () => {
  for (const world of tests)
    test(`${world.name} is quiet while all is well and fires once it is not, with the labels its text names`, () => {
      for (const { expr, eval_time, exp_samples } of world.promql_expr_test) {
        const alert = askedAlert(expr);
        const firing = firingAt(world, eval_time).filter((one) => one.alert === alert);
        expect({ eval_time, firing: firing.length }).toEqual({ eval_time, firing: exp_samples[0]?.value ?? 0 });
        const text = Object.values(rules.find((rule) => rule.alert === alert)?.annotations ?? {}).join();
        for (const [, label = ""] of text.matchAll(/\{\{ \$labels\.(\w+) \}\}/g))
          for (const { labels } of firing) expect(Object.keys(labels)).toContain(label);
      }
    });

  test("an alert is over when its condition is", () => {
    const world = {
      name: "",
      interval: "1m",
      input_series: [
        {
          series: 'consumer_partition_standing{group="g",topic="t",partition="3",instance="a"}',
          values: "0x5 1x5 0x5",
        },
      ],
      promql_expr_test: [],
    };
    expect(["5m", "8m", "13m"].map((time) => firingAt(world, time).map(({ alert }) => alert))).toEqual([
      ["RelayShardsUnowned"],
      ["ConsumerAlarm", "RelayShardsUnowned"],
      ["RelayShardsUnowned"],
    ]);
  });

  test("held keys, which have an alert of their own, do not make the outbox stale; a clock ahead is as wrong as one behind", () => {
    const world = {
      name: "",
      interval: "1m",
      input_series: [
        { series: 'outbox_oldest_unpublished_seconds{instance="a"}', values: "900x20" },
        { series: 'outbox_waiting_seconds{shard="3",instance="op"}', values: "900x20" },
        { series: 'outbox_held_keys{instance="a"}', values: "1x20" },
        { series: 'outbox_leases_held{instance="a"}', values: "16x20" },
        { series: 'role_clock_offset_seconds{role="reminder-service",instance="a"}', values: "90x20" },
      ],
      promql_expr_test: [],
    };
    expect(firingAt(world, "20m").map(({ alert }) => alert)).toEqual(["OutboxKeysHeld", "ClockSkew"]);
  });

  test("a condition that does not last as long as it must fires nothing", () => {
    const world = {
      name: "",
      interval: "30s",
      input_series: [
        { series: 'consumer_paused{group="g",instance="a"}', values: "0x9 1x2 0x20" },
        { series: 'outbox_leases_held{instance="a"}', values: "16x40" },
      ],
      promql_expr_test: [],
    };
    const times = Array.from({ length: 25 }, (_, index) => `${index * 30}s`);
    expect(times.flatMap((time) => firingAt(world, time))).toEqual([]);
  });
});
