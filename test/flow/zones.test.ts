import { afterAll, beforeAll, expect, test } from "bun:test";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { bundledZones } from "../../shared/zones/bundled-zones.ts";
import { signIn, type Client, type Json } from "../support/client.ts";
import { startSystem, type System } from "../support/system.ts";
import { until } from "../support/until.ts";
import { makeZoneDirectory } from "../support/zone-directory.ts";

const keepers = [
  "task-service",
  "recurring-task-worker",
  "reminder-scheduling-worker",
  "reminder-service",
  "notification-service",
] as const;
const others = ["outbox-relay", "ui-gateway", "task-update-broadcaster"] as const;

let system: System;
let user: Client;
const zones = makeZoneDirectory({ UTC: "UTC" }, bundledZones().version);
beforeAll(async () => {
  const roles = Object.fromEntries([...keepers, ...others].map((role) => [role, 1]));
  system = await startSystem({ roles, env: { ZONEINFO_DIR: zones.path } });
  user = await signIn(system.url("ui-gateway"), "zoe");
}, 120_000);
afterAll(async () => {
  await system?.[Symbol.asyncDispose]();
  zones[Symbol.dispose]();
}, 60_000);

const logged = (role: (typeof keepers)[number], event: string) =>
  system
    .log(role)
    .flatMap((line) =>
      line.startsWith("{") ? [JSON.parse(line) as Readonly<{ event: string; edition?: string }>] : [],
    )
    .filter((line) => line.event === event);

/** The first reminder of a task that waits, once there is one. */
const remindAt = (task: string) =>
  until(
    `task ${task} has a reminder`,
    async () => {
      const { body } = await user.call("GET", `/v1/tasks/${task}/reminders`);
      return body.items?.find((reminder: Json) => reminder["status"] === "pending")?.["remind_at"] ?? null;
    },
    { timeoutMs: 30_000, everyMs: 200 },
  );

test("roles restarted one by one with newer zone data move what was stored, once", async () => {
  await user.must("PATCH", "/v1/preferences", { tz: "America/Vancouver", default_reminders: ["PT15M"] }, {});
  const timed = await user.must("POST", "/v1/tasks", { title: "timed", due_date: "2040-12-01T09:00" });
  const day = await user.must("POST", "/v1/tasks", { title: "day", due_on: "2040-12-01" });
  const series = await user.must("POST", "/v1/tasks", {
    title: "series",
    recurrence_pattern: { rrule: "FREQ=DAILY", start: "2040-12-01T09:00" },
  });
  const { id: first } = series["first_occurrence"] as Readonly<{ id: string }>;
  const look = async () => ({
    due: (await user.call("GET", `/v1/tasks/${timed.id}`)).body["due_date"],
    occurrence: (await user.call("GET", `/v1/tasks/${first}`)).body["due_date"],
    next: (await user.call<{ next: { due_date: string }[] }>("GET", `/v1/series/${series.id}`)).body.next[1]?.due_date,
    reminders: [await remindAt(timed.id), await remindAt(day.id), await remindAt(first)],
  });
  const at = (hour: number) => ({
    due: `2040-12-01T${hour}:00:00.000Z`,
    occurrence: `2040-12-01T${hour}:00:00.000Z`,
    next: `2040-12-02T${hour}:00:00.000Z`,
    reminders: [1, 2, 3].map(() => `2040-12-01T${hour - 1}:45:00.000Z`),
  });
  const seen = async (hour: number) => {
    let last = {};
    await until(`all is at ${hour}:00Z`, async () => Bun.deepEquals((last = await look()), at(hour)), {
      timeoutMs: 40_000,
      everyMs: 200,
      describe: () => JSON.stringify(last),
    });
  };
  await seen(16);

  mkdirSync(join(zones.path, "America"));
  writeFileSync(join(zones.path, "America/Vancouver"), bundledZones().bytesOf("America/Halifax") ?? "");
  writeFileSync(join(zones.path, "tzdata.zi"), "# version 2041a\n");
  for (const role of keepers) {
    await system.stop(role);
    await system.restart(role);
  }
  await seen(13);
  const passes = (role: (typeof keepers)[number]) => logged(role, "rezone_done").map(({ edition }) => edition);
  for (const role of keepers) {
    await until(`${role} is through`, () => passes(role).includes("2041a"));
    expect([role, passes(role)]).toEqual([role, [bundledZones().version, "2041a"]]);
  }
}, 120_000);
