import { afterAll, describe, expect, test } from "bun:test";
import { until } from "../support/until.ts";
import { makeProxy } from "../../workers/ui-gateway/http/proxy.ts";
import { newTraceparent } from "../../shared/http/traceparent.ts";

describe("the proxy", () => {
  const asked: { at: string; headers: Headers; body: unknown; method: string }[] = [];
  const answering = (name: string) =>
    Bun.serve({
      port: 0,
      hostname: "127.0.0.1",
      fetch: async (request) => {
        const { method, headers } = request;
        asked.push({ at: name, headers, body: await request.text(), method });
        return new Response(`from ${name} ${new URL(request.url).search}`, {
          status: 201,
          headers: { "x-from": name, connection: "x-hop", "x-hop": "1", etag: '"7"' },
        });
      },
    });
  const [first, second] = [answering("first"), answering("second")];
  afterAll(() => Promise.all([first.stop(true), second.stop(true)]));
  const nobody = "http://127.0.0.1:9";
  const proxyTo = (...urls: readonly string[]) =>
    makeProxy(
      {
        "task-service": urls,
        "reminder-service": [],
        "recurring-task-worker": [],
        "reminder-scheduling-worker": [],
        "notification-service": [],
      },
      { timeoutMs: 500 },
    );
  const forward = (method = "POST", headers: Record<string, string> = {}) => ({
    upstream: "task-service" as const,
    request: new Request("http://gateway/v1/tasks?limit=2", { method, headers }),
    body: method === "POST" ? '{"title":"a"}' : null,
    token: "verified",
    headers: { "x-request-id": "r1", "x-forwarded-host": "gateway" },
  });

  test("takes the addresses in turn and passes method, query, body and headers on, but not those of the connection", async () => {
    const proxy = proxyTo(first.url.href, second.url.href);
    asked.length = 0;
    const headers = {
      "if-match": '"3"',
      connection: "keep-alive, x-secret",
      "x-secret": "1",
      "x-request-id": "theirs",
    };
    const one = await proxy(forward("POST", headers));
    const two = await proxy(forward("GET"));
    expect([one.headers.get("x-from"), two.headers.get("x-from")]).toEqual(["first", "second"]);
    expect([one.status, await one.text(), one.headers.get("etag")]).toEqual([201, "from first ?limit=2", '"7"']);
    expect(one.headers.has("x-hop")).toBeFalse();
    const [sent] = asked;
    expect(sent).toMatchObject({ method: "POST", body: '{"title":"a"}' });
    expect(sent?.headers.get("if-match")).toBe('"3"');
    expect(sent?.headers.get("x-request-id")).toBe("r1");
    expect(sent?.headers.has("x-secret")).toBeFalse();
  });

  test("one identity goes to the role, the verified one, and what is set here stands, whatever Connection names", async () => {
    const proxy = proxyTo(first.url.href);
    const named = ["authorization", "cookie", "x-request-id", "x-forwarded-host", "x-forwarded-proto", "forwarded"];
    const claims = {
      authorization: "Bearer other",
      cookie: "taskwire_session=other; __Host-taskwire_session=other",
      forwarded: "host=evil",
      "x-forwarded-for": "10.0.0.1",
      "x-forwarded-host": "evil",
      "x-request-id": "theirs",
    };
    for (const connection of [null, ...named, named.join(", "), `close,${named.join(",").toUpperCase()}`]) {
      asked.length = 0;
      await proxy(forward("POST", { ...claims, ...(connection === null ? {} : { connection }) }));
      const said = Object.fromEntries(asked[0]?.headers ?? []);
      expect(said).toMatchObject({
        authorization: "Bearer verified",
        "x-request-id": "r1",
        "x-forwarded-host": "gateway",
      });
      expect(Object.keys(said).filter((name) => /^(cookie|forwarded|x-forwarded-for)$/.test(name))).toEqual([]);
    }
  });

  test("a path leads to no other host", async () => {
    const proxy = proxyTo(first.url.href);
    const request = new Request(`http://gateway//127.0.0.1:${second.port}/v1/tasks`);
    const answer = await proxy({ ...forward("GET"), request });
    expect(answer.headers.get("x-from")).toBe("first");
  });

  test("goes to the next address where nobody listens, for writes as well: nothing was sent", async () => {
    const proxy = proxyTo(nobody, second.url.href);
    for (const method of ["POST", "GET", "POST"])
      expect((await proxy(forward(method))).headers.get("x-from")).toBe("second");
  });

  test("a connection that breaks after the request is tried again only for what may be sent twice", async () => {
    const breaking = Bun.listen({
      port: 0,
      hostname: "127.0.0.1",
      socket: { data: (socket) => void socket.terminate() },
    });
    const broken = `http://127.0.0.1:${breaking.port}`;
    await expect(proxyTo(broken, second.url.href)(forward("POST"))).rejects.toMatchObject({ code: "UNAVAILABLE" });
    const dropped = { "idempotency-key": "k", connection: "idempotency-key" };
    await expect(proxyTo(broken, second.url.href)(forward("POST", dropped))).rejects.toMatchObject({
      code: "UNAVAILABLE",
    });
    const keyed = await proxyTo(broken, second.url.href)(forward("POST", { "idempotency-key": "k" }));
    const read = await proxyTo(broken, second.url.href)(forward("GET"));
    expect([keyed.headers.get("x-from"), read.headers.get("x-from")]).toEqual(["second", "second"]);
    breaking.stop(true);
  });

  test("answers UNAVAILABLE with a time to come again when nobody answers", async () => {
    await expect(proxyTo(nobody)(forward())).rejects.toMatchObject({
      code: "UNAVAILABLE",
      extra: { retryAfterSeconds: 1 },
    });
    await expect(proxyTo()(forward())).rejects.toMatchObject({ code: "UNAVAILABLE" });
    const silent = Bun.listen({ port: 0, hostname: "127.0.0.1", socket: { data: () => {} } });
    await expect(proxyTo(`http://127.0.0.1:${silent.port}`)(forward("GET"))).rejects.toMatchObject({
      code: "UNAVAILABLE",
    });
    silent.stop(true);
  });

  test("a client that leaves takes its request with it: while the role works, while it answers, and before it was asked", async () => {
    const left: string[] = [];
    const asked: string[] = [];
    using role = Bun.serve({
      port: 0,
      hostname: "127.0.0.1",
      fetch: async (request) => {
        const { pathname } = new URL(request.url);
        asked.push(pathname);
        request.signal.addEventListener("abort", () => left.push(pathname));
        if (pathname === "/works") await until("the client has left", () => request.signal.aborted);
        const body = new ReadableStream<Uint8Array>({
          pull: async (controller) => {
            await Bun.sleep(5);
            controller.enqueue(new Uint8Array(1000));
          },
        });
        return new Response(body);
      },
    });
    const proxy = proxyTo(role.url.href);
    const outcomes: unknown[] = [];
    using gateway = Bun.serve({
      port: 0,
      hostname: "127.0.0.1",
      fetch: async (request) => {
        if (request.url.endsWith("/late")) await until("the client has left", () => request.signal.aborted);
        const answer = proxy({ upstream: "task-service", request, body: null, token: "t", headers: {} });
        answer.catch((error: unknown) => outcomes.push(error === request.signal.reason || error));
        return await answer;
      },
    });
    for (const path of ["/works", "/answers", "/late"]) {
      const client = new AbortController();
      const { signal } = client;
      const answer = fetch(new URL(path, gateway.url), { signal });
      answer.catch(() => {});
      if (path === "/answers") await (await answer).body?.getReader().read();
      else await Bun.sleep(50);
      client.abort();
    }
    await until("the role knows", () => left.length === 2);
    await until("the gateway is through", () => outcomes.length === 2);
    expect([asked, left]).toEqual([
      ["/works", "/answers"],
      ["/works", "/answers"],
    ]);
    expect(outcomes).toEqual([true, true]);
  });

  test("a new trace context is one of the standard's form", () => {
    expect(newTraceparent()).toMatch(/^00-[\da-f]{32}-[\da-f]{16}-01$/);
  });
});
