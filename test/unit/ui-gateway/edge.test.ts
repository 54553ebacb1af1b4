import { expect, test } from "bun:test";
import { makeEdge } from "../../../workers/ui-gateway/make-edge.ts";

type Sent = Readonly<{ url: string; method: string; headers: Headers; body: string | null; signal: AbortSignal }>;

function setup(answer: () => Response | Promise<Response> = () => new Response("here")) {
  const sent: Sent[] = [];
  const send = async (target: URL, init: RequestInit) => {
    const { method = "GET", headers, body, signal } = init;
    const text = body instanceof Uint8Array ? new TextDecoder().decode(body) : null;
    sent.push({ url: target.href, method, headers: new Headers(headers), body: text, signal: signal as AbortSignal });
    return await answer();
  };
  return { edge: makeEdge("https://origin.example/", send as typeof fetch), sent };
}

test("a request goes to the gateway as it came, with where it came from and without what is of its connection", async () => {
  const { edge, sent } = setup();
  const headers = {
    cookie: "a=b",
    authorization: "Bearer t",
    "x-forwarded-for": "1.1.1.1",
    connection: "x-own",
    "x-own": "1",
  };
  const request = new Request("https://app.example//evil.example/v1/tasks?a=b", {
    method: "POST",
    headers,
    body: "{}",
  });
  expect(await (await edge(request, "2.2.2.2")).text()).toBe("here");
  const [{ url, method, body, headers: seen }] = sent as [Sent];
  expect([url, method, body]).toEqual(["https://origin.example//evil.example/v1/tasks?a=b", "POST", "{}"]);
  expect(["cookie", "authorization", "x-own", "connection", "accept-encoding"].map((name) => seen.get(name))).toEqual([
    "a=b",
    "Bearer t",
    null,
    null,
    "identity",
  ]);
  expect(["host", "proto", "for"].map((name) => seen.get(`x-forwarded-${name}`))).toEqual([
    "app.example",
    "https",
    "1.1.1.1, 2.2.2.2",
  ]);
});

test("an answer comes back with its status, its cookies one by one, and its stream piece by piece", async () => {
  const { promise: gate, resolve } = Promise.withResolvers<void>();
  const body = new ReadableStream({
    start: async (out) => {
      out.enqueue(new TextEncoder().encode("data: 1\n\n"));
      await gate;
      out.close();
    },
  });
  const headers = new Headers({ "content-type": "text/event-stream", "cache-control": "no-store, no-transform" });
  for (const cookie of ["a=1; Path=/", "b=2; Path=/"]) headers.append("set-cookie", cookie);
  const answer = await setup(() => new Response(body, { status: 200, headers })).edge(
    new Request("https://h/v1/stream"),
  );
  expect(answer.headers.getSetCookie()).toEqual(["a=1; Path=/", "b=2; Path=/"]);
  expect(answer.headers.get("cache-control")).toBe("no-store, no-transform");
  const first = await answer.body?.getReader().read();
  expect(new TextDecoder().decode(first?.value as Uint8Array)).toBe("data: 1\n\n");
  resolve();
});

test("who leaves is left by the gateway, one that cannot be reached is a problem, and a body is bounded", async () => {
  const client = new AbortController();
  const { edge, sent } = setup();
  await edge(new Request("https://h/v1/stream", { signal: client.signal }));
  client.abort();
  expect(sent[0]?.signal.aborted).toBe(true);

  const down = setup(() => Promise.reject(new TypeError("refused")));
  const answer = await down.edge(new Request("https://h/v1/tasks"));
  expect([answer.status, answer.headers.get("retry-after"), await answer.json()]).toMatchObject([
    503,
    "1",
    { code: "UNAVAILABLE" },
  ]);

  const large = new Request("https://h/v1/tasks", { method: "POST", body: "x".repeat(2_000_000) });
  expect((await down.edge(large)).status).toBe(413);
  expect(down.sent).toHaveLength(1);
});
