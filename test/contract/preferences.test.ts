import { afterAll, beforeAll, beforeEach, describe, expect, test } from "bun:test";
import { makeLog } from "../../shared/role/log.ts";
import { makeMetrics } from "../../shared/role/metrics.ts";
import { webhooksOf } from "../../shared/preferences/channel-links.ts";
import { defaultPreferences } from "../../shared/preferences/preferences.ts";
import { storedPreferences } from "../../shared/preferences/read-preferences.ts";
import type { Db } from "../../shared/postgres/db.ts";
import { Problem } from "../../shared/problem.ts";
import { buildApp } from "../../workers/reminder-scheduling-worker/app.ts";
import { findPreferences, changePreferences } from "../../workers/reminder-scheduling-worker/keep-preferences.ts";
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

  const app = (allowPrivate = false) =>
    buildApp({
      readPreferences: (user) => findPreferences(db.sql, user),
      changePreferences: (change) => changePreferences(db, change),
      allowPrivate,
      authenticate: async (request) => {
        const user = request.headers.get("authorization");
        if (user === null) throw new Problem("UNAUTHENTICATED");
        return { userId: user, sessionId: "s", expiresAt: new Date(8e15), via: "bearer" };
      },
      newId: () => Bun.randomUUIDv7(),
      log,
      metrics: makeMetrics("test", { process: false }),
    });
  const send = async (
    method: string,
    body?: unknown,
    headers: Record<string, string> = {},
    { user = userId, allowPrivate = false } = {},
  ) => {
    const answer = await app(allowPrivate).request("/v1/preferences", {
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
    expect((await send("GET", undefined, {}, { user: otherUserId })).etag).toBe('"0"');
    expect((await send("GET", undefined, { "if-none-match": '"1"' })).status).toBe(304);
  });

  test("a stale If-Match is refused with what is there; the same again is no change", async () => {
    await send("PUT", { tz: "Asia/Tokyo" }, { "if-match": '"0"' });
    const stale = await send("PUT", { tz: "UTC" }, { "if-match": '"0"' });
    expect(stale).toMatchObject({
      status: 412,
      body: { code: "VERSION_MISMATCH", current: { tz: "Asia/Tokyo", version: 1 } },
    });
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

  describe("a webhook's secret", () => {
    const [first, second] = [24, 64].map((length) => `whsec_${Buffer.alloc(length, "secret").toString("base64")}`) as [
      string,
      string,
    ];
    const hook = { type: "webhook", url: "https://example.org/hook" };
    const hint = (secret: string) => `whsec_…${secret.replaceAll("=", "").slice(-4)}`;
    const stored = async () => {
      const [row] = await db.sql<{ settings: unknown }[]>`select settings from preferences where user_id = ${userId}`;
      return row === undefined ? [] : webhooksOf(storedPreferences(row.settings)).map(({ secret }) => secret);
    };

    test("is shown as a hint, to whoever puts, patches or reads it, and in what a stale change is told", async () => {
      const channels = [{ type: "log", else: { ...hook, secret: first } }];
      const shown = { channels: [{ type: "log", else: { ...hook, secret: hint(first) } }] };
      expect(await send("PUT", { channels })).toMatchObject({ status: 200, body: shown });
      expect(await send("GET")).toMatchObject({ status: 200, body: shown });
      expect(await send("PATCH", { tz: "Asia/Tokyo" })).toMatchObject({ status: 200, body: shown });
      const stale = await send("PUT", {}, { "if-match": '"1"' });
      expect(stale).toMatchObject({ status: 412, body: { current: { ...shown, version: 2 } } });
      expect(await stored()).toEqual([first]);
    });

    test("stays where it is left out or given as its hint, and is another where another is given", async () => {
      await send("PUT", { channels: [{ ...hook, secret: first }] });
      for (const more of [{}, { secret: hint(first) }])
        expect(await send("PUT", { channels: [{ ...hook, ...more }] })).toMatchObject({ status: 200, etag: '"1"' });
      expect(await stored()).toEqual([first]);
      // Another URL with the hint of one that is kept: a person who corrects it in a form.
      const moved = { ...hook, url: "https://example.org/other", secret: hint(first) };
      expect((await send("PUT", { channels: [moved] })).status).toBe(200);
      expect(await stored()).toEqual([first]);
      expect((await send("PUT", { channels: [{ ...moved, secret: second }] })).status).toBe(200);
      expect(await stored()).toEqual([second]);
    });

    test.each([
      ["left out for a URL that has none", {}],
      ["a hint of none that is kept", { secret: "whsec_…AAAA" }],
      ["no base64", { secret: `whsec_${"A".repeat(33)}` }],
      ["something else", { secret: "hunter2" }],
    ])("is refused by name where it is %s", async (_what, more) => {
      const answer = await send("PUT", { channels: [{ type: "log", else: { ...hook, ...more } }] });
      expect([answer.status, paths(answer)]).toEqual([422, ["/channels/0/else/secret"]]);
    });

    test("that was taken by an older build stays, though it would be refused today", async () => {
      const old = { ...hook, url: "http://ada:pw@10.0.0.1/hook", secret: `whsec_${"A".repeat(33)}` };
      await db.sql`
        insert into preferences (user_id, settings) values (${userId}, ${JSON.stringify({ channels: [old] })}::jsonb)`;
      const { body } = await send("GET");
      expect((await send("PUT", { ...body, tz: "Asia/Tokyo" })).status).toBe(200);
      expect(await stored()).toEqual([old.secret]);
    });
  });

  test.each([
    ["http://127.0.0.1:9999/hook", "of the public internet"],
    ["http://localhost:9999/hook", "of the public internet"],
    ["http://[::1]/hook", "of the public internet"],
    ["http://169.254.169.254/hook", "of the public internet"],
    ["http://0x7f.1/hook", "of the public internet"],
    ["https://ada:pw@example.org/hook", "user name or password"],
  ])("a webhook to %s is refused with the reason", async (url, reason) => {
    const secret = `whsec_${"A".repeat(32)}`;
    const put = (allowPrivate: boolean) =>
      send("PUT", { channels: [{ type: "webhook", url, secret }] }, {}, { allowPrivate });
    const answer = await put(false);
    expect([answer.status, paths(answer)]).toEqual([422, ["/channels/0/url"]]);
    expect(JSON.stringify(answer.body)).toContain(reason);
    expect((await put(true)).status).toBe(url.includes("@") ? 422 : 200);
  });

  describe("a patch", () => {
    const wishes = {
      tz: "Europe/Berlin",
      quiet_hours: { from: "22:00", to: "07:00", days: ["MO"] },
      late: { policy: "drop", after: "PT1H" },
      urgent_passes: false,
    };
    test("without a body changes nothing; with an empty one that is said to be JSON it is malformed", async () => {
      const patch = async (type: Record<string, string>) =>
        await app(false).request("/v1/preferences", { method: "PATCH", headers: { authorization: userId, ...type } });
      const answer = await patch({});
      expect([answer.status, await answer.json()]).toEqual([200, { ...defaultPreferences }]);
      expect((await patch({ "content-type": "application/json" })).status).toBe(400);
    });

    test.each([
      ["nothing", {}, {}],
      ["one choice", { tz: "asia/tokyo" }, { tz: "Asia/Tokyo" }],
      [
        "part of a choice",
        { quiet_hours: { from: "23:00" } },
        { quiet_hours: { ...wishes.quiet_hours, from: "23:00" } },
      ],
      [
        "null",
        { quiet_hours: null, tz: null, late: null },
        { quiet_hours: null, tz: "UTC", late: defaultPreferences.late },
      ],
      ["null for part of it", { late: { after: null } }, { late: { policy: "drop", after: "PT6H" } }],
      ["a mute", { muted_until: "2030-01-01T01:00:00+01:00" }, { muted_until: "2030-01-01T00:00:00.000Z" }],
      ["a list", { channels: [{ type: "log" }] }, { channels: [{ type: "log" }] }],
    ])("with %s changes that alone", async (_what, patch, changed) => {
      const before = (await send("PUT", wishes)).body;
      const answer = await send("PATCH", patch, { "if-match": '"1"' });
      expect(answer).toMatchObject({ status: 200, body: { ...before, ...changed } });
      expect(answer.etag).toBe(Bun.deepEquals(patch, {}) ? '"1"' : '"2"');
      expect((await send("GET")).body).toEqual(answer.body);
    });

    test("of one who never said any is a change of the defaults", async () => {
      expect(await send("PATCH", { tz: "Asia/Tokyo" })).toEqual({
        status: 200,
        etag: '"1"',
        body: { ...defaultPreferences, tz: "Asia/Tokyo" },
      });
    });

    test.each([
      ["a zone that is none", { tz: "Berlin" }, "/tz"],
      ["a field that is none", { zone: "UTC" }, "/zone"],
      ["quiet hours that would never end", { quiet_hours: { to: "22:00" } }, "/quiet_hours/to"],
      ["quiet hours without an end", { quiet_hours: { to: null } }, "/quiet_hours/to"],
      ["a channel that is none", { channels: [{ type: "pigeon" }] }, "/channels/0/type"],
    ])("with %s answers 422 naming it, and changes nothing", async (_what, body, path) => {
      await send("PUT", wishes);
      const answer = await send("PATCH", body);
      expect([answer.status, paths(answer)]).toEqual([422, [path]]);
      expect((await send("GET")).etag).toBe('"1"');
    });

    test("by a stale If-Match is refused, and two at once with none are both kept", async () => {
      await send("PUT", wishes);
      await Promise.all([send("PATCH", { tz: "Asia/Tokyo" }), send("PATCH", { all_day_at: "06:00" })]);
      expect(await send("GET")).toMatchObject({ etag: '"3"', body: { tz: "Asia/Tokyo", all_day_at: "06:00" } });
      expect((await send("PATCH", { tz: "UTC" }, { "if-match": '"1"' })).status).toBe(412);
    });
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
      get: "200 304 401 422 429 500 503",
      put: "200 400 401 403 412 413 415 422 429 500 503",
      patch: "200 400 401 403 412 413 415 422 429 500 503",
    });
    expect(Object.keys(document.components.schemas["Preferences"]?.properties ?? {})).toContain("default_reminders");
  });
});
