import { expect, test } from "bun:test";
import { openStream, signIn, type Json } from "../support/client.ts";
import { topicEnds } from "../support/read-topic.ts";
import { settled } from "../support/settled.ts";
import { until } from "../support/until.ts";
import type { System } from "../support/system.ts";

/** What everybody does with the product all day, on a system that is up by the time a test runs. */
export function mainPath(world: Readonly<{ gateway: string; system: System }>): void {
  test("a task created, changed, completed and deleted is seen by an open stream, each step in order", async () => {
    const ada = await signIn(world.gateway, "ada");
    using stream = await openStream(world.gateway, ada);
    const task = await ada.must("POST", "/v1/tasks", { title: "Buy bread", priority: "High", tags: ["home"] });
    await stream.waitFor("the creation", ({ data }) => data.change_type === "created" && data.task_id === task.id);
    await ada.must("PATCH", `/v1/tasks/${task.id}`, { title: "Buy rye bread" });
    await stream.waitFor("the new title", ({ data }) => data.payload?.["title"] === "Buy rye bread");
    await ada.must("POST", `/v1/tasks/${task.id}/complete`);
    await stream.waitFor("the completion", ({ data }) => data.change_type === "completed");
    await ada.must("DELETE", `/v1/tasks/${task.id}`);
    await stream.waitFor("the deletion", ({ data }) => data.change_type === "deleted");

    const mine = stream.changes().filter(({ data }) => data.task_id === task.id);
    expect(mine.map(({ data }) => data.change_type)).toEqual(["created", "updated", "completed", "deleted"]);
    const versions = mine.map(({ data }) => Number(data.payload["view_version"]));
    expect(versions).toEqual(versions.toSorted((a, b) => a - b));
    expect(mine.map(({ data }) => data.payload.version)).toEqual([1, 2, 3, 4]);
  });

  test("a list, the stream and a poll say one thing of a task and its reminders, and of its deletion last", async () => {
    const uma = await signIn(world.gateway, "uma");
    const { cursor } = await uma.must<{ cursor: string }>("GET", "/v1/sync?wait=0");
    using stream = await openStream(world.gateway, uma);
    const task = await uma.must("POST", "/v1/tasks", {
      title: "Pay",
      due_date: "2099-01-01T17:00:00Z",
      remind: ["PT1H"],
    });
    const own = { remind_at: "2098-12-31T08:00:00Z", drop_after: "PT2H" };
    await uma.must("POST", `/v1/tasks/${task.id}/reminders`, own);
    const { data } = await stream.waitFor(
      "both reminders",
      ({ data: change }) => (change?.payload?.["reminders"] as unknown[] | undefined)?.length === 2,
    );
    const { reminders, ...seen } = data.payload;
    expect(await uma.must("GET", `/v1/tasks/${task.id}`)).toEqual(seen as typeof task);
    const listed = await uma.must<{ items: readonly Json[] }>("GET", `/v1/tasks/${task.id}/reminders`);
    const byId = (all: readonly Json[]) => all.toSorted((a, b) => (a.id < b.id ? -1 : 1));
    expect(byId(reminders as readonly Json[])).toEqual(byId(listed.items));
    expect(listed.items.map((reminder) => reminder["drop_after"])).toContain("PT2H");

    await uma.must("DELETE", `/v1/tasks/${task.id}`);
    const { events } = stream;
    await stream.waitFor("both reminders dismissed", ({ data: change }) => {
      const all = (change?.payload?.["reminders"] ?? []) as readonly Json[];
      return all.length === 2 && all.every(({ reason }) => reason === "deleted");
    });
    expect(events.at(-1)?.data.change_type).toBe("deleted");
    const polled = await uma.must<{ items: readonly Json[] }>("GET", `/v1/sync?wait=0&since=${cursor}`);
    expect(polled.items.map(({ change_type }) => change_type)).toEqual(["deleted"]);
  });

  test("a stream killed and resumed, on another world.gateway, shows exactly what it missed", async () => {
    const ben = await signIn(world.gateway, "ben");
    const first = await openStream(world.gateway, ben);
    const seen = await ben.must("POST", "/v1/tasks", { title: "Seen" });
    await first.waitFor("the first task", ({ data }) => data.task_id === seen.id);
    const lastId = first.lastId();
    first.close();

    const missed: string[] = [];
    for (let n = 0; n < 20; n++) missed.push((await ben.must("POST", "/v1/tasks", { title: `Missed ${n}` })).id);
    const other = await world.system.start("ui-gateway");
    using second = await openStream(world.system.url("ui-gateway", other), ben, lastId);
    await second.waitFor("the last missed task", ({ data }) => data.task_id === missed.at(-1));
    await until("all of them", () => second.changes().length >= missed.length);
    // Each exactly once; among different tasks no order is promised.
    expect(
      second
        .changes()
        .map(({ data }) => data.task_id)
        .toSorted(),
    ).toEqual(missed.toSorted());
  });

  test("a list carries the cursor from before it was read; streaming from there loses nothing", async () => {
    const cleo = await signIn(world.gateway, "cleo");
    const before = await cleo.must("POST", "/v1/tasks", { title: "Before" });
    await until("the list has it", async () => (await cleo.call<Json>("GET", "/v1/tasks")).body.items.length === 1);
    const list = await cleo.call<Json>("GET", "/v1/tasks");
    const cursor = list.headers.get("x-stream-cursor");
    expect(cursor).toMatch(/^[^.]+\.\d+\.-?\d+$/);
    const after = await cleo.must("POST", "/v1/tasks", { title: "After" });
    using stream = await openStream(world.gateway, cleo, cursor);
    await stream.waitFor("the later task", ({ data }) => data.task_id === after.id);
    expect(list.body.items.map(({ id }) => id)).toEqual([before.id]);
  });

  test("a user sees only their own: lists, ids and streams of others stay closed", async () => {
    const [dan, eve] = await Promise.all([signIn(world.gateway, "dan"), signIn(world.gateway, "eve")]);
    using stream = await openStream(world.gateway, eve);
    const secret = await dan.must("POST", "/v1/tasks", {
      title: "Dan's secret",
      due_date: new Date(Date.now() + 3_600_000).toISOString(),
    });
    for (const [method, path, body] of [
      ["GET", `/v1/tasks/${secret.id}`],
      ["PATCH", `/v1/tasks/${secret.id}`, { title: "Mine now" }],
      ["DELETE", `/v1/tasks/${secret.id}`],
      ["POST", `/v1/tasks/${secret.id}/complete`],
      ["POST", `/v1/tasks/${secret.id}/reminders`, { remind_at: new Date(Date.now() + 60_000).toISOString() }],
    ] as const)
      expect({ method, path, status: (await eve.call(method, path, body)).status }).toEqual({
        method,
        path,
        status: 404,
      });
    const own = await eve.must("POST", "/v1/tasks", { title: "Eve's own" });
    await stream.waitFor("her own task", ({ data }) => data.task_id === own.id);
    expect(new Set(stream.changes().map(({ data }) => data.task_id))).toEqual(new Set([own.id]));
    expect((await eve.call<Json>("GET", "/v1/tasks?status=all")).body.items.map(({ id }) => id)).toEqual([own.id]);
    expect((await dan.call<Json>("GET", `/v1/tasks/${secret.id}`)).body.version).toBe(1);
  });

  test("without a token every route answers 401 with a problem document", async () => {
    for (const path of [
      "/v1/tasks",
      "/v1/reminders",
      "/v1/notifications",
      "/v1/stream",
      "/v1/tasks/0198c5d0-0000-7000-8000-000000000000",
    ]) {
      const response = await fetch(world.gateway + path);
      expect({ path, status: response.status, type: response.headers.get("content-type") }).toEqual({
        path,
        status: 401,
        type: "application/problem+json",
      });
    }
  });

  test("a stale If-Match is refused with the current task, and changes nothing", async () => {
    const fay = await signIn(world.gateway, "fay");
    const task = await fay.must("POST", "/v1/tasks", { title: "First" });
    await fay.must("PATCH", `/v1/tasks/${task.id}`, { title: "Second" }, { "if-match": '"1"' });
    const stale = await fay.call<Json & { current: Json }>(
      "PATCH",
      `/v1/tasks/${task.id}`,
      { title: "Third" },
      { "if-match": '"1"' },
    );
    expect(stale.status).toBe(412);
    expect(stale.body.current["title"]).toBe("Second");
    const now = await fay.call<Json>("GET", `/v1/tasks/${task.id}`);
    expect({ title: now.body["title"], etag: now.headers.get("etag") }).toEqual({ title: "Second", etag: '"2"' });
  });

  test("bad input names the field, is never a 500 and leaves no trace in any topic", async () => {
    const gil = await signIn(world.gateway, "gil");
    await settled(world.system);
    const before = await topicEnds(world.system.env);
    const cases: readonly (readonly [body: unknown, status: readonly number[], names: RegExp])[] = [
      ["{not json", [400], /JSON/],
      [{ title: 7 }, [422], /title/],
      [{}, [422], /title/],
      [{ title: "x".repeat(1_048_576) }, [422], /title/],
      [{ title: "ok", colour: "red" }, [422], /colour/],
      [{ title: "ok", due_date: "tomorrow" }, [422], /due_date/],
      [{ title: "ok", priority: "Urgent" }, [422], /priority/],
      [
        { title: "ok", recurrence_pattern: { rrule: "FREQ=DAILY", tz: "Mars/Olympus" } },
        [422],
        /recurrence_pattern\/tz/,
      ],
      [
        { title: "ok", recurrence_pattern: { rrule: "FREQ=MONTHLY;BYMONTHDAY=31;BYMONTH=2" } },
        [422],
        /recurrence_pattern\/rrule/,
      ],
      [{ title: "ok", recurrence_pattern: { rrule: "FREQ=SOMETIMES" } }, [422], /recurrence_pattern\/rrule/],
      [{ title: "\ud800" }, [400, 422], /title|JSON/],
      [{ title: "a\u0000b" }, [422], /title/],
    ];
    for (const [body, statuses, names] of cases) {
      const answer = await gil.call("POST", "/v1/tasks", body);
      expect(statuses).toContain(answer.status);
      expect(answer.headers.get("content-type")).toBe("application/problem+json");
      expect(JSON.stringify(answer.body)).toMatch(names);
    }
    for (const path of [
      "/v1/tasks/not-a-uuid",
      "/v1/tasks?limit=0",
      "/v1/tasks?cursor=garbage",
      "/v1/tasks?status=maybe",
    ]) {
      const answer = await gil.call("GET", path);
      expect({ path, bad: answer.status >= 400 && answer.status < 500 }).toEqual({ path, bad: true });
    }
    await settled(world.system);
    expect(await topicEnds(world.system.env)).toEqual(before);
  });
}
