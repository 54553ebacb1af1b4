import { afterAll, beforeAll, describe, expect, setDefaultTimeout, test } from "bun:test";
import { connect } from "node:net";
import { createParser } from "eventsource-parser";
import { openStream, signIn, type Client } from "../support/client.ts";
import { until } from "../support/until.ts";
import { startGateways, type Change, type GatewayWorld } from "./gateway-world.ts";

// Nothing here waits for a time: the limit is for machines that are busy with something else.
setDefaultTimeout(60_000);

describe("streams of real gateways", () => {
  let world: GatewayWorld;
  /** Two ordinary instances with a small memory, and one that is stricter in everything. */
  let urls: readonly [string, string, string];
  beforeAll(async () => {
    world = await startGateways({
      roles: { "ui-gateway": 2 },
      env: { STREAM_RING_RECORDS: "40", STREAM_HEARTBEAT_SECONDS: "1", STREAMS_PER_USER: "5" },
    });
    const { system } = world;
    const strict = await system.start("ui-gateway", {
      STREAM_MAX_REPLAY: "60",
      STREAM_RING_RECORDS: "40",
      SESSION_SECONDS: "2",
      STREAMS_PER_INSTANCE: "3",
    });
    urls = [system.url("ui-gateway", 1), system.url("ui-gateway", 2), system.url("ui-gateway", strict)];
  });
  afterAll(async () => {
    await world[Symbol.asyncDispose]();
  });

  let users = 0;
  const setup = async () => {
    const user = await signIn(urls[0], `user-${users++}`);
    const task = () => crypto.randomUUID();
    const changes = (taskId: string, from: number, to: number): readonly Change[] =>
      Array.from({ length: to - from + 1 }, (_, i) => ({ userId: user.userId, taskId, version: from + i }));
    return { user, task, changes };
  };
  type Seen = Awaited<ReturnType<typeof openStream>>;
  const versions = (stream: Seen) => stream.changes().map(({ data }) => data.payload["view_version"] as number);
  const sees = (stream: Seen, version: number) =>
    stream.waitFor(`view ${version}`, ({ data }) => data?.payload?.["view_version"] === version);
  const offsets = (stream: Seen) =>
    stream.events.filter(({ id }) => id !== "").map(({ id }) => Number(id.slice(id.lastIndexOf(".") + 1)));
  const range = (from: number, to: number) => Array.from({ length: to - from + 1 }, (_, i) => from + i);

  test("a user on three instances sees every change once on each, another user none", async () => {
    const { user, task, changes } = await setup();
    const other = await setup();
    const streams = await Promise.all(urls.map((url) => openStream(url, user)));
    using foreign = await openStream(urls[0], other.user);
    await world.publish(...changes(task(), 1, 8));
    for (const stream of streams) {
      await sees(stream, 8);
      expect(versions(stream)).toEqual(range(1, 8));
      stream.close();
    }
    expect(foreign.changes()).toEqual([]);
  });

  test.each([
    ["its memory", 10],
    ["the log", 150],
  ])("a stream resumed on another instance shows exactly what it missed, from %s", async (_, missed) => {
    const { user, task, changes } = await setup();
    const taskId = task();
    const first = await openStream(urls[0], user);
    await world.publish(...changes(taskId, 1, 5));
    await sees(first, 5);
    first.close();
    await world.publish(...changes(taskId, 6, 5 + missed));
    // What is in the log and not yet in the other's memory is missed as well: resuming must bridge both.
    using second = await openStream(urls[1], user, first.lastId());
    await world.publish(...changes(taskId, 6 + missed, 10 + missed));
    await sees(second, 10 + missed);
    const seen = versions(second);
    // From the log a task's changes may merge while the client takes them; they never repeat, turn back or end early.
    expect(seen).toEqual([...new Set(seen)].toSorted((a, b) => a - b));
    expect(Math.min(...seen)).toBeGreaterThan(5);
    expect(offsets(second)).toEqual(offsets(second).toSorted((a, b) => a - b));
    if (missed === 10) expect(seen).toEqual(range(6, 10 + missed));
  });

  test("a stream resumed from the log shows every task that changed once, in order", async () => {
    const { user, task } = await setup();
    const { userId } = user;
    using first = await openStream(urls[0], user);
    await world.publish({ userId, taskId: task(), version: 1 });
    await sees(first, 1);
    first.close();
    const missed = range(1, 200).map((n) => ({ userId, taskId: task(), version: 1, title: String(n) }));
    // Each written twice, as a relay does that died before it knew of the first.
    await world.publish(...missed.flatMap((change) => [change, change]));
    const resumed = await Promise.all([urls[0], urls[1]].map((url) => openStream(url, user, first.lastId())));
    for (const stream of resumed) {
      await stream.waitFor("the last", ({ data }) => data?.payload?.["title"] === "200");
      expect(stream.changes().map(({ data }) => Number(data.payload["title"]))).toEqual(range(1, 200));
      stream.close();
    }
  });

  test("a position that cannot be kept is answered in the stream, which goes on from there", async () => {
    const { user, task, changes } = await setup();
    const taskId = task();
    using live = await openStream(urls[0], user);
    using strict = await openStream(urls[2], user);
    await world.publish(...changes(taskId, 1, 120));
    for (const stream of [live, strict]) await sees(stream, 120);
    const last = live.lastId() ?? "";
    const [epoch, partition, offset] = last.split(".");
    for (const [cursor, reason, url] of [
      ["nonsense", "unreadable", urls[0]],
      [`0000000000.${partition}.${offset}`, "epoch", urls[0]],
      [`${epoch}.${(Number(partition) + 1) % 6}.${offset}`, "foreign", urls[0]],
      [`${epoch}.${partition}.${Number(offset) + 1000}`, "beyond-end", urls[0]],
      [`${epoch}.${partition}.${Number(offset) - 110}`, "too-old", urls[2]],
    ] as const) {
      using stream = await openStream(url, user, cursor);
      const reset = await stream.waitFor(`reset for ${cursor}`, ({ event }) => event === "reset");
      expect([reset.data["reason"], reset.id]).toEqual([reason, last]);
      expect(stream.changes()).toEqual([]);
    }
    using after = await openStream(urls[0], user, "nonsense");
    await after.waitFor("reset", ({ event }) => event === "reset");
    await world.publish(...changes(taskId, 121, 121));
    await sees(after, 121);
    expect(versions(after)).toEqual([121]);
  });

  test("records that are old or name different users are shown to nobody", async () => {
    const { user, task } = await setup();
    const { user: other } = await setup();
    const { userId } = user;
    const taskId = task();
    using mine = await openStream(urls[0], user);
    using theirs = await openStream(urls[0], other);
    await world.publish(
      { userId, taskId, version: 2 },
      { userId, taskId, version: 2 },
      { userId, taskId, version: 1 },
      { userId, taskId, version: 3, wrong: { key: other.userId } },
      { userId, taskId, version: 3, wrong: { owner: other.userId } },
      { userId, taskId, version: 3, wrong: { payloadOwner: other.userId } },
      { userId, taskId, version: 4 },
      { userId: other.userId, taskId: task(), version: 9 },
    );
    await sees(mine, 4);
    await sees(theirs, 9);
    expect([versions(mine), versions(theirs)]).toEqual([[2, 4], [9]]);
  });

  test("a client that takes nothing for a while gets each task's last state, and ids that rise", async () => {
    const { user, task } = await setup();
    const { userId } = user;
    const tasks = [task(), task(), task()];
    using slow = await openRaw(urls[0], user);
    await slow.until("connected", () => slow.ids().length > 0);
    slow.pause();
    const title = "x".repeat(20_000);
    const rounds = 400;
    for (const version of range(1, rounds))
      await world.publish(...tasks.map((taskId) => ({ userId, taskId, version, title })));
    // The other connection shows when this instance has everything.
    using quick = await openStream(urls[0], user);
    await world.publish({ userId, taskId: task(), version: 1 });
    await quick.waitFor("the end", ({ event }) => event === "task.changed");
    slow.resume();
    await slow.until("the end", () => slow.last(tasks[2] ?? "") === rounds && slow.taskIds().size === 4);
    expect(tasks.map(slow.last)).toEqual([rounds, rounds, rounds]);
    expect(slow.count()).toBeLessThan(3 * rounds);
    expect(slow.ids()).toEqual(slow.ids().toSorted((a, b) => a - b));
  });

  test("a client too slow for its budget is closed and resumes without a gap", async () => {
    const { user, task } = await setup();
    const { userId } = user;
    const slow = await openRaw(urls[0], user);
    await slow.until("connected", () => slow.ids().length > 0);
    slow.pause();
    const title = "y".repeat(20_000);
    const all = range(1, 500).map(() => ({ userId, taskId: task(), version: 1, title }));
    await world.publish(...all);
    await until("the stream is closed", () =>
      fetch(`${world.system.metricsUrl("ui-gateway", 1)}/metrics`)
        .then((answer) => answer.text())
        .then((text) => /gateway_streams_ended_total\{reason="slow"[^}]*\} [1-9]/.test(text)),
    );
    slow.resume();
    await slow.until("closed", slow.isClosed);
    expect(slow.count()).toBeLessThan(500);
    const seen = new Set(slow.taskIds());
    let cursor = slow.lastId();
    // It may be closed again while it catches up; each time it goes on from the last id it has.
    for (let round = 0; round < 20 && seen.size < 500; round++) {
      using again = await openRaw(urls[1], user, cursor);
      await again.until("more", () => again.isClosed() || new Set([...seen, ...again.taskIds()]).size === 500);
      for (const taskId of again.taskIds()) {
        expect(seen.has(taskId)).toBeFalse();
        seen.add(taskId);
      }
      cursor = again.lastId();
    }
    expect(seen.size).toBe(500);
    slow[Symbol.dispose]();
  });

  test("a quiet stream lives on heartbeats and a moving cursor", async () => {
    const { user } = await setup();
    using quiet = await openRaw(urls[0], user);
    await quiet.until("two heartbeats", () => quiet.text().split(": still here").length > 2);
    expect(quiet.text()).toMatch(/^retry: \d+$/m);
    expect(quiet.text()).toContain("event: cursor");
    const headers = { authorization: `Bearer ${user.token}` };
    const head = await fetch(`${urls[0]}/v1/stream`, { method: "HEAD", headers });
    expect([head.status, head.headers.get("content-type"), head.headers.get("content-length")]).toEqual([
      200,
      "text/event-stream; charset=utf-8",
      null,
    ]);
  });

  test("logging out on one instance ends the streams of the session on all, and its token is refused", async () => {
    const { user } = await setup();
    const streams = await Promise.all([urls[0], urls[1]].map((url) => openStream(url, user)));
    expect((await user.call("DELETE", "/v1/session")).status).toBe(204);
    for (const stream of streams) await stream.waitFor("auth", ({ event }) => event === "auth");
    for (const url of [urls[0], urls[1]]) {
      const answer = await fetch(`${url}/v1/stream`, { headers: { authorization: `Bearer ${user.token}` } });
      expect(answer.status).toBe(401);
    }
  });

  test("a stream ends when its token expires", async () => {
    const user = await signIn(urls[2], `user-${users++}`);
    using stream = await openStream(urls[2], user);
    const ended = await stream.waitFor("auth", ({ event }) => event === "auth");
    expect(ended.data["reason"]).toBe("expired");
  });

  test("a ticket opens one stream, on any instance", async () => {
    const { user, task, changes } = await setup();
    const { body } = await user.call<{ ticket: string }>("POST", "/v1/stream/ticket");
    const open = () => fetch(`${urls[1]}/v1/stream?ticket=${body.ticket}`);
    const answers = await Promise.all([open(), open()]);
    expect(answers.map(({ status }) => status).toSorted()).toEqual([200, 401]);
    const granted = answers.find(({ status }) => status === 200);
    await world.publish(...changes(task(), 1, 1));
    let text = "";
    for await (const chunk of granted?.body?.pipeThrough(new TextDecoderStream()) ?? []) {
      text += chunk;
      if (text.includes("task.changed")) break;
    }
    expect(text).toContain(user.userId);
    expect((await fetch(`${urls[1]}/v1/tasks?ticket=${body.ticket}`)).status).toBe(401);
  });

  test("streams whose clients have vanished make room for their person's next, and keep no poll out", async () => {
    const { user, task, changes } = await setup();
    const vanished = await Promise.all(range(1, 5).map(() => openRaw(urls[0], user)));
    for (const ghost of vanished) ghost.pause();
    const headers = { authorization: `Bearer ${user.token}` };
    expect((await fetch(`${urls[0]}/v1/sync?wait=0`, { headers })).status).toBe(200);
    const mine: Seen[] = [];
    for (let i = 0; i < 5; i++) mine.push(await openStream(urls[0], user));
    await world.publish(...changes(task(), 1, 1));
    for (const stream of mine) await sees(stream, 1);
    for (const ghost of vanished) {
      ghost.resume();
      await ghost.until("told and closed", ghost.isClosed);
      expect(ghost.text()).toContain('event: drain\ndata: {"reason":"replaced"}');
      ghost[Symbol.dispose]();
    }
    for (const stream of mine) stream.close();
  });

  test("more streams than an instance may have answer 429 with a time to come again", async () => {
    const { user } = await setup();
    const { user: other } = await setup();
    const mine = await Promise.all(range(1, 3).map(() => openStream(urls[2], user)));
    const headers = { authorization: `Bearer ${other.token}` };
    const refused = await fetch(`${urls[2]}/v1/stream`, { headers });
    expect([refused.status, refused.headers.get("retry-after")]).toEqual([429, "10"]);
    expect((await fetch(`${urls[2]}/v1/sync?wait=1`, { headers })).status).toBe(429);
    mine[0]?.close();
    await until("there is room again", async () => {
      using _ = await openStream(urls[2], other).catch(() => ({ [Symbol.dispose]: () => {} }));
      return "events" in _;
    });
    for (const stream of mine) stream.close();
  });

  test("long polling gives the same changes by the same cursor", async () => {
    const { user, task, changes } = await setup();
    const taskId = task();
    type Polled = {
      items: { payload: { view_version: number } }[];
      cursor: string;
      reset: string | null;
      state: string;
    };
    const poll = async (query: string, url = urls[0]) => {
      const answer = await fetch(`${url}/v1/sync?${query}`, { headers: { authorization: `Bearer ${user.token}` } });
      expect(answer.status).toBe(200);
      return (await answer.json()) as Polled;
    };
    const start = await poll("wait=0");
    expect(start).toMatchObject({ items: [], reset: null });
    const waiting = poll(`since=${start.cursor}&wait=10`);
    await world.publish(...changes(taskId, 1, 1));
    const first = await waiting;
    expect(first.items.map(({ payload }) => payload.view_version)).toEqual([1]);
    await world.publish(...changes(taskId, 2, 4));
    const second = await until("the other instance has them", async () => {
      const polled = await poll(`since=${first.cursor}&wait=1`, urls[1]);
      return polled.items.at(-1)?.payload.view_version === 4 && polled;
    });
    expect(second.items).toHaveLength(1);
    expect(await poll(`since=${second.cursor}&wait=0`)).toEqual({
      items: [],
      cursor: second.cursor,
      reset: null,
      state: "live",
    });
    expect(await poll("since=nonsense&wait=5")).toMatchObject({ items: [], reset: "unreadable" });
  });

  test("who asks for the same missed changes again and again is told to wait; others and what comes live are not held up", async () => {
    const { user, task, changes } = await setup();
    const { user: other } = await setup();
    const headers = { authorization: `Bearer ${user.token}` };
    const poll = (since: string, as = headers) => fetch(`${urls[2]}/v1/sync?wait=0&since=${since}`, { headers: as });
    const { cursor } = (await (await poll("nonsense")).json()) as { cursor: string };
    await world.publish(...changes(task(), 1, 55));
    using live = await openStream(urls[2], user);
    await until("the instance has them", async () => {
      const answer = await poll("nonsense");
      return Number(((await answer.json()) as { cursor: string }).cursor.split(".").at(-1)) >= 55;
    });
    const statuses: number[] = [];
    let refused: Response | null = null;
    for (let i = 0; i < 6 && refused === null; i++) {
      const answer = await poll(cursor);
      statuses.push(answer.status);
      if (answer.status === 429) refused = answer;
      else expect((await answer.json()) as unknown).toMatchObject({ items: [{}], reset: null });
    }
    expect(statuses.slice(0, 2)).toEqual([200, 200]);
    expect(Number(refused?.headers.get("retry-after"))).toBeWithin(1, 120);
    expect(await refused?.json()).toMatchObject({ code: "TOO_MANY_REPLAYS", retryable: true });
    expect((await fetch(`${urls[2]}/v1/stream?cursor=${cursor}`, { headers })).status).toBe(429);
    const others = { authorization: `Bearer ${other.token}` };
    expect((await poll("nonsense", others)).status).toBe(200);
    const taskId = task();
    await world.publish(...changes(taskId, 7, 7));
    await sees(live, 7);
  });

  test("a client that leaves in the middle of the log holds up nobody who comes after it", async () => {
    const { user, task } = await setup();
    const { userId } = user;
    using first = await openStream(urls[0], user);
    await world.publish({ userId, taskId: task(), version: 1 });
    await sees(first, 1);
    first.close();
    // Many fetches of the log, compressed too.
    const title = () => Buffer.from(crypto.getRandomValues(new Uint8Array(12_500))).toString("hex");
    await world.publish(...range(1, 400).map(() => ({ userId, taskId: task(), version: 1, title: title() })));
    await world.publish({ userId, taskId: task(), version: 1, title: "last" });
    // It takes nothing: the reading of the log waits for it, and what was fetched meanwhile for the reading.
    const stuck = await openRaw(urls[0], user, first.lastId());
    stuck.pause();
    await Bun.sleep(2_000);
    stuck[Symbol.dispose]();
    using resumed = await openStream(urls[0], user, first.lastId());
    await resumed.waitFor("the last", ({ data }) => data?.payload?.["title"] === "last", 30_000);
    expect(resumed.changes()).toHaveLength(401);
  });

  test("an instance that stops says goodbye, ends its streams and goes within seconds", async () => {
    const { user, task, changes } = await setup();
    // The stream takes one of two places, and the poll that waits the other.
    const number = await world.system.start("ui-gateway", { STREAMS_PER_INSTANCE: "2" });
    using stream = await openStream(world.system.url("ui-gateway", number), user);
    const started = performance.now();
    const poll = (address: string) => fetch(address, { headers: { authorization: `Bearer ${user.token}` } });
    const base = world.system.url("ui-gateway", number);
    const { cursor } = (await (await poll(`${base}/v1/sync?wait=0`)).json()) as { cursor: string };
    const wait = async (): Promise<Response> => {
      const answer = await poll(`${base}/v1/sync?wait=55&since=${cursor}`);
      return answer.status === 429 ? wait() : answer;
    };
    const waiting = wait();
    await until("the poll waits", async () => (await poll(`${base}/v1/sync?wait=0`)).status === 429);
    const ended = world.system.stop("ui-gateway", number);
    await stream.waitFor("drain", ({ event }) => event === "drain");
    // A poll that waits is answered with what there is, and goes on from there elsewhere.
    const answer = await waiting;
    expect([answer.status, await answer.json()]).toEqual([200, { items: [], cursor, reset: null, state: "live" }]);
    expect(await ended).toBe(0);
    expect(performance.now() - started).toBeLessThan(10_000);
    await world.publish(...changes(task(), 1, 3));
    using next = await openStream(urls[0], user, stream.lastId());
    await sees(next, 3);
    expect(versions(next)).toEqual([1, 2, 3]);
  });

  test("when the topic begins anew, open streams are told to read again", async () => {
    const { user } = await setup();
    using stream = await openStream(urls[0], user);
    const sql = new Bun.SQL(world.system.env["DATABASE_URL"] ?? "", { max: 1 });
    await sql`update stream_epoch set epoch = 'renewed'`;
    await sql.close();
    const reset = await stream.waitFor("reset", ({ event }) => event === "reset", 30_000);
    expect(reset.data["reason"]).toBe("epoch");
    expect(reset.id).toStartWith("renewed.");
  });
});

/** A stream over a socket of its own, which can be left unread as a slow client's is. */
async function openRaw(url: string, { token }: Client, lastEventId?: string | null) {
  const { hostname, port } = new URL(url);
  const socket = connect(Number(port), hostname);
  let text = "";
  let count = 0;
  let closed = false;
  const ids: string[] = [];
  const lastByTask = new Map<string, number>();
  const parser = createParser({
    onEvent: ({ id, event, data }) => {
      if (id !== undefined) ids.push(id);
      if (event !== "task.changed") return;
      count++;
      const { task_id, payload } = JSON.parse(data) as { task_id: string; payload: { view_version: number } };
      lastByTask.set(task_id, payload.view_version);
    },
  });
  // HTTP/1.0 keeps the body free of chunk sizes, so what arrives is the stream itself.
  socket.write(
    `GET /v1/stream HTTP/1.0\r\nhost: x\r\nauthorization: Bearer ${token}\r\n${lastEventId ? `last-event-id: ${lastEventId}\r\n` : ""}\r\n`,
  );
  let head = "";
  socket.setEncoding("utf8");
  socket.on("data", (part: string) => {
    let body = part;
    if (!head.includes("\r\n\r\n")) {
      head += part;
      const end = head.indexOf("\r\n\r\n");
      if (end < 0) return;
      body = head.slice(end + 4);
      head = head.slice(0, end + 4);
    }
    text = (text + body).slice(-2_000);
    parser.feed(body);
  });
  socket.on("close", () => (closed = true));
  socket.on("error", () => (closed = true));
  await until("the stream answers", () => head.includes("200"));
  return {
    pause: () => void socket.pause(),
    resume: () => void socket.resume(),
    text: () => text,
    count: () => count,
    ids: () => ids.map((id) => Number(id.slice(id.lastIndexOf(".") + 1))),
    lastId: () => ids.at(-1) ?? null,
    last: (taskId: string) => lastByTask.get(taskId) ?? 0,
    taskIds: () => new Set(lastByTask.keys()),
    isClosed: () => closed,
    until: (what: string, look: () => boolean) =>
      until(what, look, { timeoutMs: 20_000, describe: () => `${count} changes, ${lastByTask.size} tasks\n${text}` }),
    [Symbol.dispose]: () => void socket.destroy(),
  };
}
