import { afterAll, beforeAll, beforeEach, describe, expect, test } from "bun:test";
import { makeLog } from "../../shared/log.ts";
import { makeMetrics } from "../../shared/metrics.ts";
import { defaultPreferences } from "../../shared/preferences/preferences.ts";
import type { Db } from "../../shared/postgres/db.ts";
import { Problem } from "../../shared/problem.ts";
import { buildApp } from "../../workers/reminder-scheduling-worker/app.ts";
import { findPreferences, putPreferences } from "../../workers/reminder-scheduling-worker/keep-preferences.ts";
import { openTestDb } from "../support/database.ts";
import { otherUserId, userId } from "../support/guard-messages.ts";

const url = process.env["DATABASE_URL"];
if (!url && process.env["REQUIRE_ALL"] === "1") throw new Error("needs DATABASE_URL");

const log = makeLog({}, "error");

describe.skipIf(!url)("preferences over HTTP, on Postgres (needs DATABASE_URL)", () => {
  let db: Db;
  beforeAll(async () => {
    db = await openTestDb(4);
  }, 60_000);
  afterAll(() => db?.[Symbol.asyncDispose](), 30_000);
  beforeEach(async () => {
    await db.sql`truncate preferences`;
  });

  const app = () =>
    buildApp({
      readPreferences: (user) => findPreferences(db.sql, user),
      putPreferences: (wish) => putPreferences(db, wish),
      authenticate: async (request) => {
        const user = request.headers.get("authorization");
        if (user === null) throw new Problem("UNAUTHENTICATED");
        return { userId: user, sessionId: "s", expiresAt: new Date(8e15), via: "bearer" };
      },
      newId: () => Bun.randomUUIDv7(),
      log,
      metrics: makeMetrics("test", { process: false }),
    });
  const send = async (method: string, body?: unknown, headers: Record<string, string> = {}, user = userId) => {
    const answer = await app().request("/v1/preferences", {
      method,
      headers: { authorization: user, "content-type": "application/json", ...headers },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    const text = await answer.text();
    return {
      status: answer.status,
      etag: answer.headers.get("etag"),
      body: (text === "" ? null : JSON.parse(text)) as Record<string, unknown> | null,
    };
  };
  const paths = ({ body }: Awaited<ReturnType<typeof send>>) =>
    (body?.["errors"] as readonly { path: string }[] | undefined)?.map(({ path }) => path);

  test("one who never said any has the defaults, with version 0", async () => {
    expect(await send("GET")).toEqual({ status: 200, etag: '"0"', body: { ...defaultPreferences } });
  });

  test("what is put is there, spelt in one way, and the rest takes its default", async () => {
    const answer = await send("PUT", { tz: "europe/berlin", default_reminders: ["pt60m", "P1D@18:00"] });
    expect(answer).toEqual({
      status: 200,
      etag: '"1"',
      body: { ...defaultPreferences, tz: "Europe/Berlin", default_reminders: ["PT1H", "P1D@18:00"] },
    });
    expect(await send("GET")).toEqual(answer);
    expect((await send("GET", undefined, {}, otherUserId)).etag).toBe('"0"');
    expect((await send("GET", undefined, { "if-none-match": '"1"' })).status).toBe(304);
  });

  test("a stale If-Match is refused with what is there; the same again is no change", async () => {
    await send("PUT", { tz: "Asia/Tokyo" }, { "if-match": '"0"' });
    const stale = await send("PUT", { tz: "UTC" }, { "if-match": '"0"' });
    expect(stale).toMatchObject({ status: 412, body: { code: "VERSION_MISMATCH", current: { tz: "Asia/Tokyo" } } });
    expect(await send("PUT", { tz: "Asia/Tokyo" }, { "if-match": '"0"' })).toMatchObject({
      status: 200,
      etag: '"1"',
    });
    expect(await send("PUT", { tz: "UTC" }, { "if-match": '"1"' })).toMatchObject({ status: 200, etag: '"2"' });
  });

  test("two with the same If-Match at once: one is done, the other refused", async () => {
    const answers = await Promise.all(
      ["Asia/Tokyo", "Europe/Berlin"].map((tz) => send("PUT", { tz }, { "if-match": '"0"' })),
    );
    expect(answers.map(({ status }) => status).toSorted()).toEqual([200, 412]);
  });

  test.each([
    ["a zone that is none", { tz: "Berlin" }, "/tz"],
    ["a rule that is none", { default_reminders: ["PT15M", "1 hour"] }, "/default_reminders/1"],
    ["eleven rules", { default_reminders: Array.from({ length: 11 }, (_, n) => `PT${n}M`) }, "/default_reminders"],
    ["an hour that is none", { all_day_at: "24:00" }, "/all_day_at"],
    ["a field that is none", { zone: "UTC" }, "/zone"],
    ["quiet hours that never end", { quiet_hours: { from: "22:00", to: "22:00" } }, "/quiet_hours/to"],
  ])("with %s answers 422 naming it, and keeps nothing", async (_what, body, path) => {
    const answer = await send("PUT", body);
    expect([answer.status, paths(answer)]).toEqual([422, [path]]);
    expect((await send("GET")).etag).toBe('"0"');
  });

  test("a number without quotes is no If-Match, and nobody is nobody", async () => {
    expect(paths(await send("PUT", {}, { "if-match": "1" }))).toEqual(["header.if-match"]);
    expect((await app().request("/v1/preferences")).status).toBe(401);
  });

  test("the routes describe themselves and their failures", async () => {
    const document = (await (await app().request("/openapi.json")).json()) as {
      paths: Record<string, Record<string, { responses: object }>>;
      components: { schemas: Record<string, { properties: object }> };
    };
    const routes = Object.entries(document.paths["/v1/preferences"] ?? {});
    expect(
      Object.fromEntries(routes.map(([method, { responses }]) => [method, Object.keys(responses).join(" ")])),
    ).toEqual({
      get: "200 304 401 422 500 503",
      put: "200 400 401 403 412 413 415 422 500 503",
    });
    expect(Object.keys(document.components.schemas["Preferences"]?.properties ?? {})).toContain("default_reminders");
  });
});
