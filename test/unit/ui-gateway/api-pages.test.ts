import { expect, test } from "bun:test";
import { makeApiPages } from "../../../workers/ui-gateway/document/api-pages.ts";
import { upstreamNames, type Upstream } from "../../../workers/ui-gateway/http/upstreams.ts";

const own = () => ({ openapi: "3.1.0", info: { title: "T", version: "1" }, paths: {}, components: {} });

function setup() {
  const asked: Upstream[] = [];
  const down = new Set<Upstream>();
  let ms = 0;
  let summary = "List";
  const held = Promise.withResolvers<void>();
  let isHeld = false;
  const pages = makeApiPages(
    own,
    async (role) => {
      asked.push(role);
      if (isHeld) await held.promise;
      if (down.has(role)) throw new Error("down");
      return {
        paths: { [`/v1/${role}`]: { get: { summary, responses: { 200: { description: "ok" } } } } },
        components: {},
      };
    },
    () => ms,
  );
  const request = (headers: Record<string, string> = {}) => new Request("http://localhost/openapi.json", { headers });
  return {
    pages,
    asked,
    down,
    request,
    read: async () => (await (await pages.document(request())).json()) as { paths: object; "x-unavailable"?: string[] },
    pass: (by: number) => void (ms += by),
    change: (to: string) => void (summary = to),
    hold: () => {
      isHeld = true;
      return held.resolve;
    },
  };
}

test("forty at once have them made once, and later ones not at all", async () => {
  const { pages, asked, request, hold } = setup();
  const release = hold();
  const answers = Array.from({ length: 40 }, (_, i) =>
    i % 2 === 0 ? pages.document(request()) : pages.docs(request()),
  );
  release();
  for (const answer of await Promise.all(answers)) expect(answer.status).toBe(200);
  await pages.docs(request());
  expect(asked.toSorted()).toEqual(upstreamNames.toSorted());
});

test("after a minute the next request has them made anew, and is not made to wait", async () => {
  const { asked, read, pass, change } = setup();
  await read();
  change("Other");
  pass(59_999);
  await read();
  expect(asked).toHaveLength(upstreamNames.length);
  pass(1);
  expect(JSON.stringify(await read())).toContain('"List"');
  await Bun.sleep(0); // the making goes on after the answer
  expect(JSON.stringify(await read())).toContain('"Other"');
  expect(asked).toHaveLength(2 * upstreamNames.length);
});

test("a role that is missing is named, looked for again after two seconds, and waited for", async () => {
  const { down, read, pass } = setup();
  down.add("task-service");
  expect((await read())["x-unavailable"]).toEqual(["task-service"]);
  down.clear();
  pass(1_999);
  expect((await read())["x-unavailable"]).toEqual(["task-service"]);
  pass(1);
  const whole = await read();
  expect(whole["x-unavailable"]).toBeUndefined();
  expect(Object.keys(whole.paths)).toContain("/v1/task-service");
});

test("what a role said of itself is kept while it is away", async () => {
  const { down, read, pass } = setup();
  await read();
  down.add("task-service");
  pass(60_000);
  await read();
  await Bun.sleep(0); // the making goes on after the answer
  const later = await read();
  expect(Object.keys(later.paths)).toContain("/v1/task-service");
  expect(later["x-unavailable"]).toBeUndefined();
});

test("each has an ETag, by which it is answered 304, and is not to be sniffed", async () => {
  const { pages, request } = setup();
  for (const page of [pages.document, pages.docs]) {
    const first = await page(request());
    expect(first.headers.get("x-content-type-options")).toBe("nosniff");
    const etag = first.headers.get("etag") ?? "";
    expect(etag).toMatch(/^"[\w-]{22}"$/);
    const second = await page(request({ "if-none-match": etag }));
    expect([second.status, await second.text()]).toEqual([304, ""]);
    expect((await page(request({ "if-none-match": '"other"' }))).status).toBe(200);
  }
  expect((await pages.docs(request())).headers.get("content-security-policy")).toContain("default-src 'none'");
});

test("each is gzip for clients that take it, under a tag of its own", async () => {
  const { pages, request } = setup();
  for (const page of [pages.document, pages.docs]) {
    const plain = await page(request());
    const zipped = await page(request({ "accept-encoding": "br, gzip" }));
    expect([plain, zipped].map(({ headers }) => headers.get("vary"))).toEqual(["accept-encoding", "accept-encoding"]);
    expect([plain, zipped].map(({ headers }) => headers.get("content-encoding"))).toEqual([null, "gzip"]);
    expect(zipped.headers.get("etag")).not.toBe(plain.headers.get("etag"));
    expect(Bun.gunzipSync(await zipped.bytes())).toEqual(await plain.bytes());
  }
});

test("HEAD tells the length that GET would have", async () => {
  const { pages } = setup();
  const get = await pages.docs(new Request("http://localhost/docs"));
  const head = await pages.docs(new Request("http://localhost/docs", { method: "HEAD" }));
  // The front of every role measures the body of a HEAD and drops it.
  expect((await head.bytes()).byteLength).toBe((await get.bytes()).byteLength);
});
