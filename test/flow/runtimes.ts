import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { spawn, spawnSync, type ChildProcess } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { openPortClaims } from "../../dev/stack/ports.ts";
import type { RoleName } from "../../shared/messages/topics.ts";
import { openStream, signIn, type Client, type Json } from "../support/client.ts";
import { readScrape } from "../support/read-scrape.ts";
import { deno, node, type Runtime } from "../support/runtimes.ts";
import { until } from "../support/until.ts";
import { gateway, operatorToken, system } from "./everyday-system.ts";

// Whole roles under Node and Deno beside those under Bun, on one database and one broker: their answers must be the
// same.
const root = join(import.meta.dir, "../..");
const behind = {
  "task-service": "TASK_SERVICE_URL",
  "reminder-service": "REMINDER_SERVICE_URL",
  "recurring-task-worker": "RECURRING_TASK_WORKER_URL",
  "reminder-scheduling-worker": "REMINDER_SCHEDULING_WORKER_URL",
  "notification-service": "NOTIFICATION_SERVICE_URL",
} as const satisfies Partial<Record<RoleName, string>>;

for (const { command, why } of [node, deno])
  if (command === null && process.env["REQUIRE_ALL"] === "1") throw new Error(`needs Node and Deno${why}`);

/** The commands of the README's section, as they are printed. */
const printed = [
  ...(/^### Node, Deno and the edge$([^]*?)^## /m
    .exec(readFileSync(join(root, "README.md"), "utf8"))?.[1]
    ?.matchAll(/^npx .*$/gm) ?? []),
].map(([line]) => line);
const commandWith = (...words: readonly string[]): string => {
  const found = printed.find((line) => words.every((word) => line.includes(word)));
  if (found === undefined) throw new Error(`the README prints no command with ${words.join(" and ")}`);
  ran.add(found);
  return found;
};
const ran = new Set<string>();

type Served = Readonly<{
  url: string;
  metricsUrl: string;
  /** SIGTERM to the shell and all it started, and what was said until it was over. */
  stop: () => Promise<string>;
}>;
const ports = openPortClaims();
const freePort = () => ports.choose([12_000 + Math.floor(Math.random() * 15_000)]);
const running: ChildProcess[] = [];

/** Runs a command of the README by a shell, in a process group of its own, and waits until it answers. */
async function run(command: string, env: Readonly<Record<string, string>>): Promise<Served> {
  const [port, metricsPort] = [await freePort(), await freePort()];
  const url = `http://127.0.0.1:${port}`;
  const child = spawn("sh", ["-c", command], {
    cwd: root,
    env: { ...system.env, PORT: String(port), EDGE_PORT: String(port), METRICS_PORT: String(metricsPort), ...env },
    stdio: ["ignore", "pipe", "pipe"],
    detached: true,
  });
  running.push(child);
  let said = "";
  for (const stream of [child.stdout, child.stderr]) stream.on("data", (chunk: Buffer) => (said += chunk.toString()));
  const ended = new Promise<void>((resolve) => child.once("close", () => resolve()));
  await until(
    `${command} answers`,
    async () => {
      if (child.exitCode !== null) throw new Error(`it ended with ${child.exitCode}\n${said.slice(-3000)}`);
      return (await fetch(`${url}/readyz`).catch(() => null))?.ok ?? false;
    },
    { timeoutMs: 80_000, everyMs: 100, describe: () => said.slice(-3000) },
  );
  const stop = async () => {
    if (child.exitCode === null && child.pid !== undefined) process.kill(-child.pid, "SIGTERM");
    await ended;
    return said;
  };
  return { url, metricsUrl: `http://127.0.0.1:${metricsPort}`, stop };
}

/** Headers of the connection, of the moment and of the one request; lengths where a runtime may send pieces. */
const ownHeaders =
  /^(?:date|connection|keep-alive|transfer-encoding|content-length|x-request-id|ratelimit.*|x-stream-cursor|set-cookie)$/;

type Said = Readonly<{
  status: number;
  headers: Readonly<Record<string, string>>;
  body: unknown;
  length: string | null;
}>;

async function ask(base: string, path: string, init: RequestInit = {}): Promise<Said> {
  const answer = await fetch(base + path, { redirect: "manual", ...init });
  const text = await answer.text();
  const isJson = /json/.test(answer.headers.get("content-type") ?? "");
  const body: unknown =
    isJson && text !== "" ? JSON.parse(text, (key, value: unknown) => (key === "instance" ? "id" : value)) : text;
  const headers = Object.fromEntries([...answer.headers].filter(([name]) => !ownHeaders.test(name)));
  return { status: answer.status, headers, body, length: answer.headers.get("content-length") };
}

let ada: Client;
let task: Json;
let series: Json;
let reminder: Json;

beforeAll(async () => {
  const { status } = spawnSync("sh", ["-c", commandWith("run pages")], {
    cwd: root,
    stdio: "ignore",
    env: process.env,
  });
  expect(status).toBe(0);
  ada = await signIn(gateway, "ada of the runtimes");
  await ada.must("PATCH", "/v1/preferences", { tz: "Europe/Berlin" });
  task = await ada.must("POST", "/v1/tasks", { title: "Zähne 🦷", due_date: "2099-01-01T17:00:00Z", remind: ["PT1H"] });
  series = await ada.must("POST", "/v1/tasks", {
    title: "Every Monday",
    recurrence_pattern: { rrule: "FREQ=WEEKLY;BYDAY=MO", tz: "Europe/Berlin", start: "2098-01-06T09:00:00" },
  });
  reminder = await until(
    "everything that follows is there",
    async () => {
      const [reminders, all] = [
        await ada.must<{ items: Json[] }>("GET", `/v1/tasks/${task.id}/reminders`),
        await ada.must<{ items: Json[] }>("GET", "/v1/series"),
      ];
      return all.items.length === 1 ? reminders.items[0] : null;
    },
    { timeoutMs: 30_000 },
  );
}, 200_000);

/** What is asked of every gateway, of the gateway's role and of all roles behind it. */
const reads = (): readonly (readonly [path: string, init?: RequestInit])[] => {
  const gets = [
    "/v1/tasks?limit=5",
    `/v1/tasks/${task.id}`,
    `/v1/tasks/${task.id}/reminders`,
    "/v1/export.ics",
    "/v1/series",
    `/v1/series/${series.id}`,
    `/v1/series/${series.id}/occurrences?from=2098-01-01T00:00:00Z&to=2098-03-01T00:00:00Z`,
    `/v1/series/${series.id}/history`,
    "/v1/reminders",
    `/v1/reminders/${reminder.id}`,
    "/v1/preferences",
    "/v1/notifications",
    "/v1/notifications/unread",
    "/v1/notifications/endpoints",
    "/v1/session",
    "/v1/sign-in",
    "/openapi.json",
    "/docs",
    "/",
    "/app.css",
    "/icon.svg",
    "/healthz",
    "/nothing",
    "/v1/nothing",
    "/v1/tasks/no-id",
    "/v1/tasks?limit=%00",
    "/v1/tasks?limt=1",
    `/v1/tasks/${crypto.randomUUID()}`,
  ];
  const identity = { "accept-encoding": "identity" };
  const json = { "content-type": "application/json" };
  return [
    ...gets.map((path) => [path, { headers: identity }] as const),
    ...gets.map((path) => [path, { method: "HEAD", headers: identity }] as const),
    [`/v1/tasks/${task.id}`, { headers: { "if-none-match": `"${task.version}"` } }],
    ["/v1/tasks", { headers: { authorization: "Bearer no" } }],
    ["/v1/tasks", { method: "PUT", body: "{}", headers: json }],
    ["/v1/tasks", { method: "OPTIONS" }],
    ["/v1/tasks", { method: "POST", body: "{", headers: json }],
    ["/v1/tasks", { method: "POST", body: '{"title":""}', headers: json }],
    ["/v1/tasks", { method: "POST", body: `{"title":"${"x".repeat(1_400_000)}"}`, headers: json }],
    ["/v1/tasks", { method: "POST", body: "{}", headers: { ...json, "content-encoding": "gzip" } }],
    [`/v1/tasks/${task.id}`, { method: "PATCH", body: '{"title":"a"}', headers: { ...json, "if-match": '"99"' } }],
  ];
};

const operatorReads = [
  "/",
  "/api/topics",
  "/api/schemas",
  "/api/dead-letters",
  "/api/outbox",
  "/api/audit",
  "/api/nothing",
];

describe.each([
  [node, () => commandWith("npx node")],
  [deno, () => commandWith("deno serve", "serve.ts")],
] as const)("$name", (runtime: Runtime, command) => {
  const skip = test.skipIf(runtime.command === null);
  let own: Served;
  const started: [RoleName, number][] = [];

  beforeAll(async () => {
    if (runtime.command === null) return;
    const env: Record<string, string> = {};
    await Promise.all(
      [...Object.keys(behind), "operator"].map(async (name) => {
        const role = name as keyof typeof behind | "operator";
        const number = await system.start(role, {}, runtime.command ?? []);
        started.push([role, number]);
        if (role !== "operator") env[behind[role]] = system.url(role, number);
      }),
    );
    own = await run(command(), env);
  }, 180_000);
  afterAll(async () => {
    if (runtime.command === null) return;
    const ended = started.map(async ([role, number]) => [role, await system.stop(role, number)] as const);
    const [said, ...codes] = [await own.stop(), ...(await Promise.all(ended))];
    const why = started.map(([role, number]) => system.log(role, number).slice(-5));
    expect({ codes, why }).toEqual({ codes: started.map(([role]) => [role, 0]), why });
    // What serves the gateway is behind a shell and npx, whose ends say nothing of it.
    if (runtime === node) expect(said).toContain('"event":"stopped"');
  }, 200_000);

  skip(`every app answers as under Bun, by status, headers and body${runtime.why}`, async () => {
    const begun = performance.now();
    // Made of what every role says of itself; of one that was busy it is made again.
    for (const base of [gateway, own.url])
      await until(
        `${base} knows every role`,
        async () => !Object(await (await fetch(`${base}/openapi.json`)).json())["x-unavailable"],
        { timeoutMs: 30_000, everyMs: 500 },
      );
    const token = { authorization: `Bearer ${ada.token}` };
    const all = reads();
    for (const [path, init = {}] of all) {
      const asked = { ...init, headers: { ...token, ...(init.headers as Record<string, string>) } };
      const [expected, found] = [await ask(gateway, path, asked), await ask(own.url, path, asked)];
      const { length, ...rest } = found;
      expect({ path, method: init.method, ...rest }).toEqual({ path, method: init.method, ...without(expected) });
      // Only of HEAD is it said beforehand: what GET would send.
      if (init.method === "HEAD") expect({ path, length }).toEqual({ path, length: expected.length });
    }
    // Sent in pieces, of which nobody knows how many come; the connection is used again.
    for (const base of [gateway, own.url]) {
      const headers = { ...token, "content-type": "application/json" };
      const tooLarge = await ask(base, "/v1/tasks", { method: "POST", headers, body: pieces(40) });
      const next = await ask(base, "/v1/tasks?limit=1", { headers });
      expect([tooLarge.status, next.status]).toEqual([413, 200]);
    }
    const [, at] = started.find(([role]) => role === "operator") ?? ["operator", 1];
    for (const path of operatorReads)
      for (const headers of [{ authorization: `Bearer ${operatorToken}` }, { authorization: "Bearer no" }]) {
        const asked = { headers: { ...headers, "accept-encoding": "identity" } };
        const [expected, found] = [
          await ask(system.url("operator"), path, asked),
          await ask(system.url("operator", at), path, asked),
        ];
        expect({ path, ...without(found), body: shapeOf(found.body) }).toEqual({
          path,
          ...without(expected),
          body: shapeOf(expected.body),
        });
      }
    const compared = all.length + 2 * operatorReads.length;
    const ms = Math.round(performance.now() - begun);
    console.log(
      `${runtime.name} ${runtime.version}: ${compared} answers of 7 apps are those of Bun ${Bun.version}, ${ms} ms`,
    );
  });

  skip(`a change is made, replayed and seen live, and a stream goes on after Last-Event-ID${runtime.why}`, async () => {
    const here = { ...ada, ...(await signIn(own.url, "ada of the runtimes")) };
    expect(here.userId).toBe(ada.userId);
    let lastId: string | null;
    {
      using stream = await openStream(own.url, here);
      const key = { "idempotency-key": crypto.randomUUID() };
      const made = await here.call("POST", "/v1/tasks", { title: `made by ${runtime.name}` }, key);
      const again = await here.call("POST", "/v1/tasks", { title: `made by ${runtime.name}` }, key);
      expect([made.status, again.status, again.body.id]).toEqual([201, 201, made.body.id]);
      await stream.waitFor("the task made here", ({ data }) => data.task_id === made.body.id);
      expect((await ada.must("GET", `/v1/tasks/${made.body.id}`))["title"]).toBe(`made by ${runtime.name}`);
      const elsewhere = await ada.must("POST", "/v1/tasks", { title: "made by Bun" });
      await stream.waitFor("the task made under Bun", ({ data }) => data.task_id === elsewhere.id);
      lastId = stream.lastId();
    }
    const missed = await ada.must("POST", "/v1/tasks", { title: "made meanwhile" });
    using resumed = await openStream(own.url, here, lastId);
    await resumed.waitFor("what was missed", ({ data }) => data.task_id === missed.id);
    expect(new Set(resumed.changes().map(({ data }) => data.task_id))).toEqual(new Set([missed.id]));
  });

  skip(`a stream is never compressed, and clients that leave leave nothing behind${runtime.why}`, async () => {
    const token = { authorization: `Bearer ${ada.token}`, "accept-encoding": "gzip, br" };
    const client = new AbortController();
    const streams = await Promise.all(
      Array.from({ length: 10 }, () => fetch(`${own.url}/v1/stream`, { headers: token, signal: client.signal })),
    );
    for (const { headers } of streams) {
      expect(headers.get("content-encoding")).toBeNull();
      expect(headers.get("cache-control")).toBe("no-store, no-transform");
    }
    // The streams of before end once the gateway has heard that their clients are gone.
    await until("those ten are open", async () => (await openStreams(own)) === 10);
    const poll = fetch(`${own.url}/v1/sync?wait=50`, { headers: token, signal: client.signal }).catch(() => "left");
    client.abort();
    await until("no stream is open", async () => (await openStreams(own)) === 0, { timeoutMs: 60_000 });
    await poll;
    const head = await fetch(`${own.url}/v1/stream`, { method: "HEAD", headers: token });
    expect([head.status, head.headers.get("content-length")]).toEqual([200, null]);
    await until("it leaves none open", async () => (await openStreams(own)) === 0);
  });

  if (runtime === deno) {
    skip(`the gateway that listens by itself starts as it is printed, and stops in peace${runtime.why}`, async () => {
      const gatewayHere = await run(commandWith("deno run", "ui-gateway"), {});
      expect((await fetch(`${gatewayHere.url}/healthz`)).status).toBe(200);
      expect(await gatewayHere.stop()).toContain('"event":"stopped"');
    });

    skip(`the fetch handler in front of it passes page, API, cookies and the stream on, live${runtime.why}`, async () => {
      const edge = await run(commandWith("edge.ts"), { ORIGIN: own.url });
      const token = { authorization: `Bearer ${ada.token}`, "accept-encoding": "identity" };
      for (const path of ["/", "/v1/tasks?limit=5", "/v1/series", "/v1/nothing", "/docs"])
        expect({ path, ...without(await ask(edge.url, path, { headers: token })) }).toEqual({
          path,
          ...without(await ask(own.url, path, { headers: token })),
        });
      const eve = await signIn(edge.url, "ada of the runtimes");
      {
        using stream = await openStream(edge.url, eve);
        const made = await eve.must("POST", "/v1/tasks", { title: "by the edge" });
        await stream.waitFor("the change", ({ data }) => data.task_id === made.id);
        await until("one stream is open", async () => (await openStreams(own)) === 1);
      }
      await until("the gateway's stream ends with the client's", async () => (await openStreams(own)) === 0, {
        timeoutMs: 60_000,
      });
      await edge.stop();
    });
  }
});

test.skipIf(node.command === null || deno.command === null)(
  "every command of the README's section was run as printed",
  () => {
    expect([...ran].toSorted()).toEqual(printed.toSorted());
  },
);

/** So many times 50 kB. */
function pieces(count: number): ReadableStream<Uint8Array> {
  let sent = 0;
  return new ReadableStream({
    pull: (out) => (sent++ < count ? out.enqueue(new Uint8Array(50_000).fill(32)) : out.close()),
  });
}

const without = ({ status, headers, body }: Said) => ({ status, headers, body });

async function openStreams({ metricsUrl }: Served): Promise<number> {
  const { series: found } = readScrape(await (await fetch(`${metricsUrl}/metrics`)).text());
  return found.find(({ name }) => name === "gateway_streams")?.value ?? Number.NaN;
}

/** Names and types; positions and times of a system that goes on are others a moment later. */
function shapeOf(value: unknown): unknown {
  if (Array.isArray(value)) return value.length === 0 ? [] : [shapeOf(value[0])];
  if (typeof value !== "object" || value === null) return value === null ? null : typeof value;
  return Object.fromEntries(Object.entries(value).map(([name, each]) => [name, shapeOf(each)]));
}

afterAll(() => {
  for (const { pid, exitCode, signalCode } of running)
    if (pid !== undefined && exitCode === null && signalCode === null) process.kill(-pid, "SIGKILL");
  ports.release();
});
