import { afterEach, expect, test } from "bun:test";
import { connect } from "node:net";
import { openRoleServer, type Fetch } from "../../../shared/http/role-server.ts";
import { makeLog } from "../../../shared/role/log.ts";
import { makeMetrics } from "../../../shared/role/metrics.ts";
import { Problem } from "../../../shared/problem.ts";
import { sendRaw } from "../../support/raw-http.ts";

const opened: { close: () => Promise<void> }[] = [];
afterEach(async () => void (await Promise.all(opened.splice(0).map((server) => server.close()))));

async function setup(
  answer: Fetch = (request) => new Response(`${request.method} ${request.url}`),
  metricsAt: Readonly<{ hostname: string; port: number }> | null = null,
) {
  const lines: string[] = [];
  const metrics = makeMetrics("ui-gateway", { process: false });
  const server = await openRoleServer(
    { hostname: "127.0.0.1", port: 0, metrics: metricsAt },
    {
      answer,
      probes: { unhealthy: () => [], unready: () => ["database"], waiting: () => [] },
      log: makeLog({}, "debug", (line) => void lines.push(line)),
      metrics,
    },
  );
  opened.push(server);
  const port = Number(server.url.port);
  return { server, port, lines, metrics, raw: (text: string, waitMs?: number) => sendRaw(port, text, waitMs) };
}

const secretPath = "/v1/stream?ticket=tkt-secret";

test.each([
  ["HTTP/1.0 without a host, as load balancers probe", "GET /healthz HTTP/1.0\r\n\r\n", "ok\n"],
  ["an empty host", "GET /healthz HTTP/1.1\r\nHost:\r\n\r\n", "ok\n"],
  ["the absolute form", "GET http://elsewhere.example/healthz HTTP/1.1\r\nHost: h\r\n\r\n", "ok\n"],
  ["a host nobody knows", "GET /a?b=c HTTP/1.1\r\nHost: evil.example:81\r\n\r\n", "GET http://evil.example:81/a?b=c"],
  ["IPv6", "GET /a HTTP/1.1\r\nHost: [::1]:81\r\n\r\n", "GET http://[::1]:81/a"],
  ["a path that begins like a host", "GET //evil/a HTTP/1.0\r\n\r\n", "GET http://localhost//evil/a"],
])("%s is answered like any other", async (_name, request, body) => {
  const answer = await (await setup()).raw(request);
  expect([answer.status, answer.body]).toEqual([200, body]);
});

test("who answers is told where the connection comes from, whatever the request says", async () => {
  const { raw } = await setup((_, { address }) => new Response(address));
  for (const version of ["1.0", "1.1"]) {
    const answer = await raw(`GET /a HTTP/${version}\r\nHost: h\r\nX-Forwarded-For: 6.6.6.6\r\n\r\n`);
    expect(answer.body).toBe("127.0.0.1");
  }
});

test.each([
  ["a space", "Host: a b"],
  ["an impossible port", "Host: x:99999"],
  ["a path", "Host: a/b?c#d"],
  ["a user", "Host: u:p@h"],
  ["two of them", "Host: a\r\nHost: b"],
  ["no characters of a name", 'Host: <">'],
])("a host with %s is a problem document, a line and a count, without what was asked", async (_name, host) => {
  const { raw, lines, metrics } = await setup();
  const answer = await raw(`GET ${secretPath} HTTP/1.1\r\n${host}\r\n\r\n`);
  expect([answer.status, answer.headers.get("content-type")]).toEqual([400, "application/problem+json"]);
  const document = JSON.parse(answer.body) as { code: string; instance: string };
  expect(document.code).toBe("MALFORMED_REQUEST");
  expect(lines.map((line) => JSON.parse(line) as unknown)).toMatchObject([
    { event: "request", method: "GET", route: "unmatched", status: 400, requestId: document.instance },
  ]);
  expect(lines.join() + answer.body).not.toContain("tkt-secret");
  expect(await metrics.text()).toContain('http_requests_total{method="GET",route="unmatched",status="400"');
});

test("a method that is not for a server like this is refused, not thrown", async () => {
  const answer = await (await setup()).raw("CONNECT h:443 HTTP/1.1\r\nHost: h\r\n\r\n");
  expect(answer.status).toBe(400);
});

test.each<[string, Fetch]>([
  [
    "throws",
    () => {
      throw new TypeError(`cannot parse ${import.meta.path}`);
    },
  ],
  ["rejects", () => Promise.reject(new Error(import.meta.path))],
])("an app that %s says nothing of it to the one who asked", async (_name, answerWith) => {
  const { raw, lines, metrics } = await setup(answerWith);
  const answer = await raw(`GET ${secretPath} HTTP/1.1\r\nHost: h\r\n\r\n`);
  expect([answer.status, answer.body.length < 500]).toEqual([500, true]);
  expect(JSON.parse(answer.body)).toMatchObject({ code: "INTERNAL" });
  expect(answer.body).not.toContain("test/unit");
  expect(lines.map((line) => (JSON.parse(line) as { event: string }).event)).toEqual(["request_failed", "request"]);
  expect(lines.join()).not.toContain("tkt-secret");
  expect(await metrics.text()).toContain('status="500"');
});

const stream = () => new ReadableStream({ start: (out) => out.enqueue(new TextEncoder().encode("data: 1\n\n")) });

test("only a stream that was opened may be silent for longer, and its connection ends with it", async () => {
  const closing = () =>
    new ReadableStream({
      start: (out) => {
        out.enqueue(new TextEncoder().encode("data: 1\n\n"));
        setTimeout(() => out.close(), 50);
      },
    });
  const events = { headers: { "content-type": "text/event-stream; charset=utf-8" } };
  const open = await setup(() => new Response(closing(), events));
  const ended = await open.raw("GET /v1/stream HTTP/1.1\r\nHost: h\r\n\r\n");
  expect([ended.headers.get("connection"), ended.isClosed]).toEqual(["close", true]);
  for (const refused of [new Response("{}", { ...events, status: 401 }), new Response(stream())]) {
    const answer = await (await setup(() => refused)).raw("GET /v1/stream HTTP/1.1\r\nHost: h\r\n\r\n");
    expect(answer.headers.get("connection")).toBeNull();
  }
});

test("HEAD never says a length that GET would not have", async () => {
  const ask = async (answer: Response) =>
    (await (await setup(() => answer)).raw("HEAD /v1/stream HTTP/1.1\r\nHost: h\r\n\r\n")).headers.get(
      "content-length",
    );
  const events = { headers: { "content-type": "text/event-stream" } };
  expect(await ask(new Response(null, events))).toBeNull();
  expect(await ask(new Response(stream(), events))).toBeNull();
  expect(await ask(new Response(null, { headers: { "content-length": "7" } }))).toBe("7");
  expect(await ask(new Response("four"))).toBe("4");
});

test("a problem that comes up before there is an app is answered, counted and logged", async () => {
  const { raw, lines } = await setup(() => {
    throw new Problem("UNAVAILABLE", undefined, { retryAfterSeconds: 1 });
  });
  const answer = await raw("GET /v1/tasks HTTP/1.1\r\nHost: h\r\n\r\n");
  expect([answer.status, answer.headers.get("retry-after")]).toEqual([503, "1"]);
  expect(lines.map((line) => JSON.parse(line) as unknown)).toMatchObject([{ event: "request", status: 503 }]);
});

test("at a stop what runs is answered to its last byte, idle connections are closed, and new ones are refused", async () => {
  const gate = Promise.withResolvers<void>();
  const slow = () =>
    new Response(
      new ReadableStream({
        start: async (out) => {
          out.enqueue(new TextEncoder().encode("begin,"));
          await gate.promise;
          out.enqueue(new TextEncoder().encode("end"));
          out.close();
        },
      }),
    );
  const { server, port } = await setup((request) => (request.url.endsWith("/slow") ? slow() : new Response("quick")));
  const idle = connect(port, "127.0.0.1", () => idle.write("GET /quick HTTP/1.1\r\nHost: h\r\n\r\n"));
  const isClosed = new Promise<boolean>((resolve) => idle.once("close", () => resolve(true)));
  // Idle once it has its answer; before that it would be a request that runs, or one that comes too late.
  await new Promise<void>((resolve) => idle.once("data", () => resolve()));
  const running = fetch(`http://127.0.0.1:${port}/slow`);
  await running;
  let isDrained = false;
  const drained = server.drain().then(() => (isDrained = true));
  expect(await isClosed).toBe(true);
  await expect(sendRaw(port, "GET / HTTP/1.1\r\nHost: h\r\n\r\n")).rejects.toThrow();
  expect(isDrained).toBe(false);
  gate.resolve();
  expect(await (await running).text()).toBe("begin,end");
  await drained;
});

test("beside a metrics port of its own, the public one says of the probes yes or no and has no metrics", async () => {
  const { server } = await setup(() => new Response("nothing", { status: 404 }), { hostname: "localhost", port: 0 });
  const ask = async (base: URL, path: string) => {
    const answer = await fetch(new URL(path, base));
    return [answer.status, (await answer.text()).split("\n")[0]?.slice(0, 30)];
  };
  expect(await ask(server.url, "/healthz")).toEqual([200, "ok"]);
  expect(await ask(server.url, "/readyz")).toEqual([503, "not now"]);
  expect(await ask(server.url, "/metrics")).toEqual([404, "nothing"]);
  expect(await ask(server.metricsUrl, "/readyz")).toEqual([503, "waiting for: database"]);
  expect((await fetch(new URL("/metrics", server.metricsUrl))).headers.get("content-type")).toStartWith("text/plain");
  expect((await fetch(new URL("/v1/tasks", server.metricsUrl))).status).toBe(404);
  expect([server.url.hostname, server.metricsUrl.hostname]).toEqual(["127.0.0.1", "localhost"]);
});

test("where the metrics port is taken nothing listens at all", async () => {
  using taken = Bun.serve({ hostname: "127.0.0.1", port: 0, fetch: () => new Response() });
  await expect(setup(undefined, { hostname: "127.0.0.1", port: taken.port ?? 0 })).rejects.toThrow(
    `port ${taken.port} in use`,
  );
});
