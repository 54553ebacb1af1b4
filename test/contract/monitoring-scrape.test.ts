import { afterAll, beforeAll, expect, test } from "bun:test";
import {
  deadLetterTopics,
  defaultPartitions,
  groupNames,
  roleNames,
  topicNames,
  type RoleName,
} from "../../shared/messages/topics.ts";
import { openStream, signIn } from "../support/client.ts";
import { readDashboard, readMetricsTable, readRules } from "../support/monitoring-files.ts";
import { keyOf, type Labels, type Series } from "../support/promql/evaluate.ts";
import { parsePromql, selectorsOf } from "../support/promql/parse.ts";
import { simulate } from "../support/promql/simulate.ts";
import { readScrape, type Scrape } from "../support/read-scrape.ts";
import { startSystem, type System } from "../support/system.ts";
import { until } from "../support/until.ts";

/** Every label there may be, and every value it may have. What is not here must not be on a metric. */
const closed: Readonly<Record<string, RegExp | readonly string[]>> = {
  role: roleNames,
  group: groupNames,
  topic: [...topicNames, ...deadLetterTopics],
  partition: Array.from({ length: defaultPartitions }, (_, index) => `${index}`),
  shard: Array.from({ length: 16 }, (_, index) => `${index}`),
  outcome: /^(done|duplicate|dead|parked|skipped|lost|answered|refused|unreachable|delivered|retry|failed|cancelled)$/,
  class: ["dependency_down", "throttled", "permanent", "invalid", "unknown"],
  verdict: ["not_owned", "stale", "repeated", "gap"],
  kind: ["deadline", "connection", "resources", "conflict", "refused", "major", "minor", "incremental", "weakcb"],
  step: /^(claim|send|watch|outbox_(old_)?days|outbox_default|inbox_(old_)?weeks|inbox_late|settled_letters|kept_answers|old_sessions|mail_attempts|delivery_lanes|deliveries)$/,
  part: ["lag", "outbox", "failures", "tables", "topics", "layouts"],
  table: ["outbox", "inbox", "parked_messages", "dead_letters"],
  timer: ["reminders", "occurrences"],
  path: ["job", "sweeper"],
  channel: ["in-app", "log", "webhook", "email", "operator-webhook"],
  state: ["open", "disabled"],
  probe: ["ready", "healthy"],
  // What waits: groups by name, senders by channel, loops.
  loop: /^((consumer|parked|sending) [\w-]+|[a-z][a-z_]{2,24})$/,
  dependency: ["postgres", "registry", "kafka", "redis", "build", "other"],
  client: ["producer", "consumer"],
  check: /^(started|listening|outbox|updates|updates heard of|backlog|consumer [\w-]+)$/,
  method: ["GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS", "other"],
  // Patterns, not paths: a parameter is `:id`.
  route: /^(unmatched|\/[a-z0-9/:_.*-]*)$/,
  status: /^[1-5]\d\d$/,
  // One word each, from the code.
  reason: /^[a-z][a-z_-]{2,24}$/,
  why: /^[a-z][a-z_-]{2,32}$/,
  type: /^[A-Z][A-Za-z]{2,30}$/,
  le: /^(\d+(\.\d+)?|\+Inf)$/,
  // Of IANA's zone data: those that the running roles have.
  edition: /^\d{4}[a-z]{1,2}$/,
  source: ["bundled", "directory"],
  // Node's own, of a fixed set per runtime.
  version: /^v[\d.]+$/,
  major: /^\d+$/,
  minor: /^\d+$/,
  patch: /^\d+$/,
  space: /^\w+$/,
};
const runtimes = /^(nodejs|process)_/;

let system: System;
let before: Scrape;
let after: Scrape;

beforeAll(async () => {
  system = await startSystem();
  await useIt(1);
  before = await scrape();
  await useIt(12);
  after = await scrape();
}, 120_000);
afterAll(() => system?.[Symbol.asyncDispose](), 30_000);

test("labels and their values are closed sets, and none is an id, a key or a title", () => {
  const strays = after.series.flatMap(({ name, labels }) =>
    Object.entries(labels).flatMap(([label, value]) => {
      if (runtimes.test(name) && label === "type") return [];
      const allowed = closed[label];
      const isIn = allowed instanceof RegExp ? allowed.test(value) : (allowed?.includes(value) ?? false);
      const looksLikeAnId = /[0-9a-f]{8}-[0-9a-f]{4}|[0-9a-f]{16}|metric-user|secret/i.test(value);
      return isIn && !looksLikeAnId ? [] : [`${name} {${label}="${value}"}`];
    }),
  );
  expect(strays).toEqual([]);
});

test("twelve more users with a task each make no metric longer", () => {
  const known = new Set(before.series.map(({ key }) => key));
  const grown = after.series.filter(({ name, key }) => !known.has(key) && !runtimes.test(name));
  // What may come later is what happened for the first time, such as a duplicate: a handful, not one per user.
  const families = Object.groupBy(grown, ({ name }) => name);
  const long = Object.entries(families).filter(
    ([name, series]) => !name.endsWith("_bucket") && (series?.length ?? 0) > 4,
  );
  expect(long.map(([name, series]) => `${name}: ${series?.map(({ key }) => key).join(" ")}`)).toEqual([]);
  expect(after.series.length).toBeGreaterThan(500);
});

test("every metric and label an alert or a panel reads is told by a role", () => {
  const readers = [
    ...readRules().map(({ alert, expr }) => ({ reader: alert, expr })),
    ...readDashboard().panels.flatMap(({ title, targets = [] }) =>
      targets.map(({ expr }) => ({ reader: title, expr: expr.replaceAll(/\$\w+/g, ".*") })),
    ),
  ];
  const missing = readers.flatMap(({ reader, expr }) =>
    selectorsOf(parsePromql(expr)).flatMap(({ name, matchers }) => {
      if (name === "up") return []; // Prometheus's own
      const family = after.families.get(name.replace(/_(bucket|sum|count)$/, "")) ?? after.families.get(name);
      if (family === undefined) return [`${reader}: there is no metric ${name}`];
      const labels = new Set([...family.labels, "instance", "job"]);
      return family.labels.size === 0
        ? []
        : matchers.filter(({ label }) => !labels.has(label)).map(({ label }) => `${reader}: ${name} has no ${label}`);
    }),
  );
  expect(missing).toEqual([]);
});

test("a system that is well and in use fires no alert", () => {
  expect(firing(before, after).filter((name) => !ofTheMachine.includes(name))).toEqual([]);
});

test("with the relay gone and a consumer's partitions lost, the alerts for these fire on the same figures, and no others", () => {
  const worse: Scrape = {
    ...after,
    series: after.series
      .filter(({ labels }) => labels["role"] !== "outbox-relay")
      .map((one) =>
        one.name === "consumer_owned_partitions" && one.labels["group"] === "task-service" ? { ...one, value: 0 } : one,
      ),
  };
  expect(firing(before, worse, "outbox-relay").filter((name) => !ofTheMachine.includes(name))).toEqual([
    "PartitionsUnowned",
    "RelayShardsUnowned",
    "RoleDown",
  ]);
});

test("the table of metrics names what roles tell, of the same kind, and nothing else", () => {
  const told = [...after.families]
    .filter(([name]) => !runtimes.test(name))
    .map(([name, { kind }]) => `${name} ${kind}`)
    .toSorted();
  expect(
    readMetricsTable()
      .map(({ name, kind }) => `${name} ${kind}`)
      .toSorted(),
  ).toEqual(told);
});

/** How fast this machine is today is not what is tested. */
const ofTheMachine = ["TimersLate", "TimersOftenLate", "SweeperFiring", "HttpSlow", "StreamsBehind", "RoleSlow"];

/**
 * The alerts after ten minutes of the first scrape and ten of the second, every 15 s, as Prometheus would have seen
 * them.
 */
function firing(first: Scrape, second: Scrape, down: RoleName | null = null): readonly string[] {
  const [stepMs, halfMs] = [15_000, 600_000];
  const byKey = new Map<string, Series>();
  const add = (labels: Labels, value: number, half: number) => {
    const key = keyOf(labels);
    const series = byKey.get(key) ?? { labels, samples: [] };
    byKey.set(key, series);
    for (let at = half * halfMs; at < (half + 1) * halfMs; at += stepMs) {
      // Figures that say when they were measured go on with time.
      const now = labels["__name__"] === "backlog_measured_timestamp_seconds" ? at / 1000 : value;
      series.samples.push([at, now]);
    }
  };
  for (const [half, { series }] of [first, second].entries()) {
    for (const { name, labels, value } of series)
      add({ __name__: name, instance: labels["role"] ?? "", job: "taskwire", ...labels }, value, half);
    for (const role of roleNames)
      add({ __name__: "up", job: "taskwire", instance: role, role }, half === 1 && role === down ? 0 : 1, half);
  }
  const fired = simulate(readRules(), [...byKey.values()], { untilMs: 2 * halfMs - stepMs, everyMs: stepMs });
  return [...new Set(fired.map(({ alert }) => alert))].toSorted();
}

/**
 * What people do, once per user: a task with a reminder that fires, a recurring one, a completion, a mistake, a stream.
 */
async function useIt(users: number): Promise<void> {
  const gateway = system.url("ui-gateway");
  await Promise.all(
    Array.from({ length: users }, async () => {
      const user = await signIn(gateway, `metric-user-${crypto.randomUUID()}`);
      using stream = await openStream(gateway, user);
      const due_date = new Date(Date.now() + 1_500).toISOString();
      const task = await user.must("POST", "/v1/tasks", { title: "secret", due_date });
      const recurring = { title: "secret", is_recurring_template: true, recurrence_pattern: "daily" };
      await user.must("POST", "/v1/tasks", recurring);
      await user.call("GET", `/v1/tasks/${crypto.randomUUID()}`);
      await user.call("GET", `/v1/nothing/${crypto.randomUUID()}`);
      await stream.waitFor("the reminder", ({ data }) => JSON.stringify(data ?? "").includes("triggered"), 30_000);
      await user.must("POST", `/v1/tasks/${task.id}/complete`);
      await stream.waitFor("the completion", ({ data }) => data.change_type === "completed");
    }),
  );
}

/** All roles at once, when the operator has measured everything after now and consumers have told their state. */
async function scrape(): Promise<Scrape> {
  const from = Date.now() / 1000;
  const text = (role: (typeof roleNames)[number]) =>
    fetch(`${system.metricsUrl(role)}/metrics`).then((answer) => answer.text());
  await until(
    "the operator has measured every part again",
    async () => {
      const measured = readScrape(await text("operator")).series.filter(({ name }) =>
        name.startsWith("backlog_measured_timestamp"),
      );
      return measured.length === 6 && measured.every(({ value }) => value > from);
    },
    { timeoutMs: 40_000, everyMs: 500 },
  );
  return readScrape((await Promise.all(roleNames.map(text))).join("\n"));
}
