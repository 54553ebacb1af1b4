import { readFileSync, readdirSync } from "node:fs";
import { join } from "node:path";
import type { AlertRule, InputSeries } from "./promql/simulate.ts";

export const monitoringFolder = join(import.meta.dir, "../../redpanda/monitoring");

type RuleGroup = Readonly<{ name: string; rules: readonly AlertRule[] }>;
type RuleTests = Readonly<{
  rule_files: readonly string[];
  evaluation_interval: string;
  tests: readonly RuleTest[];
}>;
export type RuleTest = Readonly<{
  name: string;
  interval: string;
  input_series: readonly InputSeries[];
  promql_expr_test: readonly Readonly<{
    expr: string;
    eval_time: string;
    exp_samples: readonly Readonly<{ labels: string; value: number }>[];
  }>[];
}>;
type Dashboard = Readonly<{
  uid: string;
  title: string;
  schemaVersion: number;
  templating: Readonly<{ list: readonly Readonly<{ name: string; type: string; query?: unknown }>[] }>;
  panels: readonly Panel[];
}>;
type Panel = Readonly<{
  id: number;
  type: string;
  title: string;
  gridPos: Readonly<{ x: number; y: number; w: number; h: number }>;
  datasource?: Readonly<{ type: string; uid: string }>;
  fieldConfig?: Readonly<{ defaults: Readonly<{ unit?: string }> }>;
  targets?: readonly Readonly<{ refId: string; expr: string; legendFormat?: string }>[];
}>;

// The shapes are those of Prometheus and Grafana; the tests that read a field fail where a file does not have it.
const yaml = <T>(file: string): T => Bun.YAML.parse(readFileSync(join(monitoringFolder, file), "utf8")) as T;

export const readRules = (): readonly AlertRule[] =>
  yaml<{ groups: readonly RuleGroup[] }>("alerts.yml").groups.flatMap(({ rules }) => rules);
export const readRuleTests = (): RuleTests => yaml<RuleTests>("alerts.test.yml");
export const readPrometheusConfig = (): Readonly<Record<string, unknown>> => yaml("prometheus.yml");
export const readTargets = (
  file: string,
): readonly Readonly<{ targets: readonly string[]; labels: Record<string, string> }>[] => yaml(file);
export const readDashboard = (): Dashboard =>
  JSON.parse(readFileSync(join(monitoringFolder, "dashboard.json"), "utf8")) as Dashboard;

/** Runbooks by the name of their alert. */
export const readRunbooks = (): ReadonlyMap<string, string> =>
  new Map(
    readdirSync(join(monitoringFolder, "runbooks")).map((file) => [
      file.replace(/\.md$/, ""),
      readFileSync(join(monitoringFolder, "runbooks", file), "utf8"),
    ]),
  );

/** The rows of metrics.md that name a metric. */
export const readMetricsTable = (): readonly Readonly<{ name: string; kind: string }>[] =>
  [
    ...readFileSync(join(monitoringFolder, "metrics.md"), "utf8").matchAll(
      /^\| `([a-z_]+)` +\| (counter|gauge|histogram) +\|/gm,
    ),
  ].map(([, name = "", kind = ""]) => ({ name, kind }));
