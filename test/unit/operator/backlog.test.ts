import { expect, test } from "bun:test";
import { makeLog } from "../../../shared/role/log.ts";
import { makeMetrics } from "../../../shared/role/metrics.ts";
import { watchBacklog, type Backlog } from "../../../workers/operator/watch-backlog.ts";
import { printTable } from "../../../workers/operator/print-table.ts";
import { until } from "../../support/until.ts";

const lag = { group: "task-service", topic: "task-commands", partition: 3, committed: 5n, end: 12n } as const;
const failures = {
  parked: [{ group: "task-service", topic: "task-commands", keys: 2, messages: 9, oldestSeconds: 61.5 }],
  dead: [{ group: "task-service", letters: 3, oldestSeconds: 86_400 }],
} as const;
const topic = (name: string, retentionMs: string) => ({
  name,
  partitions: 6,
  configs: { "retention.ms": retentionMs },
});
const topics = [topic("task-events", "-1"), topic("reminders", "3600000"), topic("somebody-elses", "1000")];
const outbox = {
  waiting: 4,
  oldestSeconds: 2.5,
  shards: [{ shard: 7, owner: null, epoch: 1, waiting: 4, oldestSeconds: 2.5 }],
  holds: [],
} as const;

test("what waits becomes gauges, unlimited retention none, and the role is ready once all was measured", async () => {
  await using world = setup({ lag: () => Promise.resolve([{ ...lag, messages: 7, seconds: 12.5 }]) });
  await until("ready", world.isReady);
  const text = await world.metrics.text();
  const place = 'group="task-service",topic="task-commands",partition="3",role="operator"';
  expect(text).toContain(`consumer_lag_messages{${place}} 7`);
  expect(text).toContain(`consumer_lag_seconds{${place}} 12.5`);
  expect(text).toContain('outbox_waiting_messages{shard="7",role="operator"} 4');
  expect(text).toContain('outbox_waiting_seconds{shard="7",role="operator"} 2.5');
  const queue = 'group="task-service",topic="task-commands",role="operator"';
  expect(text).toContain(`parked_keys{${queue}} 2`);
  expect(text).toContain(`parked_messages{${queue}} 9`);
  expect(text).toContain(`parked_oldest_seconds{${queue}} 61.5`);
  expect(text).toContain('dead_letters_waiting{group="task-service",role="operator"} 3');
  expect(text).toContain('dead_letters_oldest_seconds{group="task-service",role="operator"} 86400');
  expect(text).toContain('table_bytes{table="inbox",role="operator"} 8192');
  expect(text).toContain('topic_retention_seconds{topic="reminders",role="operator"} 3600');
  expect(text).not.toContain('topic_retention_seconds{topic="task-events"');
  expect(text).not.toContain("somebody-elses");
  expect(text).toContain('topic_held_seconds{topic="reminders",role="operator"} 7.5');
  expect(text).toContain('topic_held_seconds{topic="task-events",role="operator"} 0');
  expect(text).toContain('backlog_measured_timestamp_seconds{part="lag",role="operator"} 1000');
});

test("while the broker is down the outbox is told, the failure counted, and lag again once it is back", async () => {
  let down = true;
  await using world = setup({
    lag: () => (down ? Promise.reject(new Error("no broker")) : Promise.resolve([{ ...lag, messages: 1, seconds: 0 }])),
  });
  const text = () => world.metrics.text();
  await until("the failure is counted", async () =>
    /backlog_failures_total\{part="lag",role="operator"\} [1-9]/.test(await text()),
  );
  await until("the outbox is told", async () => (await text()).includes('outbox_waiting_messages{shard="7"'));
  expect(world.isReady()).toBe(false);
  down = false;
  await until("ready", world.isReady);
});

test("a table is as wide as its cells, with numbers to the right and dashes for what is not there", () => {
  expect(
    printTable(
      ["NAME", "N", "WHEN"],
      [
        ["a", 1, null],
        ["longer", 100, "now"],
      ],
    ),
  ).toBe(["NAME      N  WHEN", "a         1  -", "longer  100  now"].join("\n"));
});

function setup(backlog: Pick<Backlog, "lag">) {
  const stop = new AbortController();
  const metrics = makeMetrics("operator", { process: false });
  const checks: (() => boolean)[] = [];
  const watching = watchBacklog(
    {
      outbox: () => Promise.resolve(outbox),
      failures: () => Promise.resolve(failures),
      tables: () => Promise.resolve([{ table: "inbox", bytes: 8192 }]),
      topics: () => Promise.resolve(topics),
      layouts: () =>
        Promise.resolve([
          { topic: "reminders", partitions: 6, generation: 0, held: { by: "x", since: new Date(0), seconds: 7.5 } },
        ]),
      everyMs: 5,
      ...backlog,
    },
    {
      signal: stop.signal,
      metrics,
      log: makeLog({}, "error"),
      now: () => new Date(1_000_000),
      readyWhen: (_name, check) => void checks.push(check),
    },
  );
  return {
    metrics,
    isReady: () => checks.length > 0 && checks.every((check) => check()),
    [Symbol.asyncDispose]: async () => {
      stop.abort();
      await watching;
    },
  };
}
