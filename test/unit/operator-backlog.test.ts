import { expect, test } from "bun:test";
import { makeLog } from "../../shared/log.ts";
import { makeMetrics } from "../../shared/metrics.ts";
import { watchBacklog, type Backlog } from "../../workers/operator/watch-backlog.ts";
import { printTable } from "../../workers/operator/print-table.ts";
import { until } from "../support/until.ts";

const lag = { group: "task-service", topic: "task-commands", partition: 3, committed: 5n, end: 12n } as const;
const outbox = {
  waiting: 4,
  oldestSeconds: 2.5,
  shards: [{ shard: 7, owner: null, epoch: 1, waiting: 4, oldestSeconds: 2.5 }],
  holds: [],
} as const;

test("lag and outbox become gauges, and the role is ready once both were measured", async () => {
  await using world = setup({ lag: () => Promise.resolve([{ ...lag, messages: 7, seconds: 12.5 }]) });
  await until("ready", world.isReady);
  const text = await world.metrics.text();
  const place = 'group="task-service",topic="task-commands",partition="3",role="operator"';
  expect(text).toContain(`consumer_lag_messages{${place}} 7`);
  expect(text).toContain(`consumer_lag_seconds{${place}} 12.5`);
  expect(text).toContain('outbox_waiting_messages{shard="7",role="operator"} 4');
  expect(text).toContain('outbox_waiting_seconds{shard="7",role="operator"} 2.5');
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
    { outbox: () => Promise.resolve(outbox), everyMs: 5, ...backlog },
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
