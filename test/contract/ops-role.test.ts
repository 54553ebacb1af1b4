import { expect, test } from "bun:test";
import { join } from "node:path";
import { readConfig } from "../../shared/role/config.ts";
import { kafkaSettings, openBroker } from "../../shared/kafka/kafka-broker.ts";
import { makeLog } from "../../shared/role/log.ts";
import { runOps } from "../../workers/operator/ops.ts";
import { freshDatabase } from "../support/database.ts";
import { stack } from "../support/stack.ts";
import { until } from "../support/until.ts";

test("the operator tells every group's lag and the outbox as metrics, serves its page, joins no group, and stops cleanly", async () => {
  await using database = await freshDatabase();
  const token = crypto.randomUUID();
  const env = {
    DATABASE_URL: database.url,
    KAFKA_BROKERS: stack().kafkaBrokers,
    OPERATOR_TOKEN: token,
    KAFKA_PREFIX: `operator-${crypto.randomUUID().slice(0, 8)}.`,
  };
  const log = makeLog({}, "error");
  const ops = (...args: readonly string[]) => runOps(args, { env, print: () => {}, log }, () => {});
  await using broker = await openBroker(readConfig(kafkaSettings, env), { clientId: "operator-test", log });
  try {
    expect(await ops("topics", "apply")).toBe(0);
    await using producer = await broker.producer();
    await producer.send([
      { topic: "reminders", timestamp: Date.now(), key: "k", value: Buffer.from("x"), headers: [] },
    ]);

    await using role = start(env);
    await until("the operator is ready", async () => (await role.get("/readyz"))?.ok === true, { timeoutMs: 20_000 });
    const metrics = (await (await role.get("/metrics"))?.text()) ?? "";
    const lag = metrics.match(/^consumer_lag_messages\{group="notification-service",topic="reminders",.*\} 1$/gm);
    expect(lag).toHaveLength(1);
    expect(metrics.match(/^outbox_waiting_messages\{/gm)).toHaveLength(16);
    expect(await (await role.get("/"))?.text()).toContain("<title>Taskwire operator</title>");
    expect((await role.get("/app.js"))?.status).toBe(200);
    expect((await role.get("/api/groups"))?.status).toBe(401);
    const answer = await role.get("/api/groups", { authorization: `Bearer ${token}` });
    expect(await answer?.json()).toMatchObject({ groups: expect.arrayContaining([]) });
    expect(await broker.admin.groups()).toEqual([]);
    expect(await role.stop()).toBe(0);
  } finally {
    await ops("topics", "delete", "--yes");
  }
});

/** The real process, on a port of its own choice: it says in its log which. */
function start(env: Readonly<Record<string, string>>) {
  const child = Bun.spawn([process.execPath, join(import.meta.dir, "../../workers/operator/main.ts")], {
    env: { ...env, PATH: process.env["PATH"] ?? "", PORT: "0" },
    stdout: "pipe",
    stderr: "inherit",
  });
  const url = Promise.withResolvers<string>();
  void (async () => {
    let said = "";
    for await (const bytes of child.stdout) {
      said += Buffer.from(bytes).toString();
      const found = /"url":"(http[^"]+)"/.exec(said)?.[1];
      if (found !== undefined) url.resolve(found);
    }
    url.reject(new Error(`the operator ended: ${said}`));
  })();
  const stop = () => {
    child.kill("SIGTERM");
    return child.exited;
  };
  return {
    get: async (path: string, headers: Record<string, string> = {}) =>
      fetch(new URL(path, await url.promise), { headers }).catch(() => null),
    stop,
    [Symbol.asyncDispose]: async () => void (await stop()),
  };
}
