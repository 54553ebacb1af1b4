import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import postgres from "postgres";
import { signIn, type Client, type Json } from "../support/client.ts";
import { startSystem, type System } from "../support/system.ts";
import { until } from "../support/until.ts";

const missing = ["DATABASE_URL", "KAFKA_BROKERS", "SCHEMA_REGISTRY_URL", "REDIS_URL"].filter(
  (name) => !process.env[name],
);
if (missing.length > 0 && process.env["REQUIRE_ALL"] === "1") throw new Error(`needs ${missing.join(", ")}`);

/** Real processes: two workers, and what makes the occurrences they ask for. */
describe.skipIf(missing.length > 0)("two recurring task workers as processes (needs the stack)", () => {
  let system: System;
  let sql: postgres.Sql;
  let ada: Client;
  beforeAll(async () => {
    system = await startSystem({
      roles: { "task-service": 1, "outbox-relay": 1, "recurring-task-worker": 2, "ui-gateway": 1 },
    });
    sql = postgres(system.env["DATABASE_URL"] ?? "", { max: 2, onnotice: () => {} });
    ada = await signIn(system.url("ui-gateway"), "ada");
  }, 90_000);
  afterAll(async () => {
    await sql?.end();
    await system?.[Symbol.asyncDispose]();
  }, 30_000);

  /**
   * Daily, from `seconds` ahead, two open at a time: the second occurrence is asked for when the first one's due
   * passes.
   */
  const makeTemplate = async (seconds: number) => {
    const due = new Date(Math.ceil(Date.now() / 1000) * 1000 + seconds * 1000);
    const start = due.toISOString().slice(0, 19);
    const recurrence_pattern = { rrule: "FREQ=DAILY", tz: "UTC", start, max_open: 2 };
    const { id } = await ada.must("POST", "/v1/tasks", { title: "Stretch", recurrence_pattern });
    return { id, due };
  };
  const occurrencesOf = async (templateId: string) => {
    const { items } = await ada.must<Json>("GET", "/v1/tasks?status=all&limit=200");
    return items
      .filter((task) => task["template_id"] === templateId)
      .map((task) => String(task["due_date"]))
      .toSorted();
  };
  const expectSecond = async ({ id, due }: { id: string; due: Date }) => {
    const second = new Date(due.getTime() + 86_400_000);
    const found = await until(
      "the second occurrence",
      async () => {
        const all = await occurrencesOf(id);
        return all.length > 1 ? all : null;
      },
      { timeoutMs: 40_000 },
    );
    expect(found).toEqual([due.toISOString(), second.toISOString()]);
    const asked = await sql<{ at: Date; lateMs: number }[]>`
      select created_at as at, extract(epoch from created_at - ${due})::float8 * 1000 as "lateMs" from outbox
      where topic = 'task-commands' and key = ${id} order by id`;
    expect(asked).toHaveLength(2);
    return asked[1]?.lateMs ?? Number.NaN;
  };

  test("the next occurrence is made when the due of the last one passes: once, not early", async () => {
    const templates = await Promise.all([3, 3, 4, 4, 5].map(makeTemplate));
    for (const template of templates) {
      const lateMs = await expectSecond(template);
      expect(lateMs).toBeGreaterThanOrEqual(0);
      expect(lateMs).toBeLessThan(5_000);
    }
  }, 60_000);

  test("with one of them killed while it was armed, it is made nevertheless", async () => {
    const template = await makeTemplate(4);
    await until("the first occurrence", async () => (await occurrencesOf(template.id)).length === 1);
    await system.kill("recurring-task-worker", 1);
    expect(await expectSecond(template)).toBeGreaterThanOrEqual(0);
    await system.restart("recurring-task-worker", 1);
    const later = await makeTemplate(2);
    expect(await expectSecond(later)).toBeGreaterThanOrEqual(0);
  }, 90_000);

  test("both answer for a user's series", async () => {
    for (const instance of [1, 2]) {
      const answer = await fetch(`${system.url("recurring-task-worker", instance)}/v1/series?limit=1`, {
        headers: { authorization: `Bearer ${ada.token}` },
      });
      const body = (await answer.json()) as { items: Json[] };
      expect(body.items).toHaveLength(1);
      expect(body.items[0]).toMatchObject({ open_occurrences: 2, made_occurrences: 2, status: "waiting" });
    }
  });
});
