import { afterAll, expect, test } from "bun:test";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { proxyFor } from "../../shared/http/proxy-for.ts";

const root = join(import.meta.dir, "../..");
const asked = { proxy: [] as string[], direct: [] as string[] };
const listen = (asks: string[], answer: unknown) =>
  Bun.serve({
    hostname: "127.0.0.1",
    port: 0,
    fetch: (request) => {
      asks.push(request.url);
      return Response.json(answer);
    },
  });
const outbound = listen(asked.proxy, { from: "proxy" });
const inside = listen(asked.direct, { keys: [{ kty: "oct" }] });
afterAll(() => Promise.all([outbound.stop(true), inside.stop(true)]));

const script = `
import { makeProxy } from "./workers/ui-gateway/http/proxy.ts";
import { openRegistry } from "./shared/avro/registry.ts";
import { openKeySet } from "./shared/http/key-set.ts";
const url = process.env.INSIDE;
const urls = { "task-service": [url] };
const request = new Request("http://gateway/upstream");
await makeProxy(urls, { timeoutMs: 2000 })({ upstream: "task-service", request, body: null, token: "t", headers: {} });
await openRegistry({ url: url + "registry", user: "u", password: "p", timeoutMs: 2000 }).ping();
await Promise.resolve(openKeySet(url + "keys")({ alg: "RS256" }, { payload: "", signature: "" })).catch(() => {});
await fetch(url + "control");
`;

test.each(["HTTP_PROXY", "http_proxy", "ALL_PROXY"])(
  "with %s set, users' tokens, the registry's password and the keys of tokens stay off the proxy",
  async (name) => {
    asked.proxy.length = asked.direct.length = 0;
    const child = Bun.spawn([process.execPath, "-e", script], {
      cwd: root,
      env: { PATH: process.env["PATH"] ?? "", INSIDE: inside.url.href, [name]: outbound.url.href },
      stdout: "inherit",
      stderr: "inherit",
    });
    expect(await child.exited).toBe(0);
    const pathsOf = (urls: readonly string[]) => urls.map((url) => new URL(url).pathname);
    expect(pathsOf(asked.direct)).toEqual(["/upstream", "/registry/schemas/types", "/keys"]);
    // What says nothing about a proxy goes there: the variable works at all.
    expect(pathsOf(asked.proxy)).toEqual(["/control"]);
  },
);

test("what is sealed on the way may go through the environment's proxy", () => {
  expect([proxyFor("https://id.example/jwks"), proxyFor("http://id.example/jwks")]).toEqual([{}, { proxy: false }]);
});

/** Calls of `fetch` that leave the proxy to the environment; those of pages run in browsers. */
function straysOf(file: string, source: string): readonly string[] {
  return [...source.matchAll(/(?<![.\w])fetch\(/g)]
    .map(({ index }) => source.slice(index, endOfCall(source, index)))
    .filter((call) => !/\.\.\.(direct|proxyFor\()/.test(call))
    .map((call) => `${file}: ${call.split("\n")[0]}`);
}

function endOfCall(source: string, from: number): number {
  let depth = 0;
  for (let at = source.indexOf("(", from); at < source.length; at++) {
    if (source[at] === "(") depth++;
    else if (source[at] === ")" && --depth === 0) return at;
  }
  return source.length;
}

test("every request of the product and its tools says whether a proxy may have it", () => {
  const files = ["shared", "workers", "dev"].flatMap((top) =>
    [...new Bun.Glob(`${top}/**/*.ts`).scanSync({ cwd: root })].filter((file) => !/^workers\/[^/]+\/page\//.test(file)),
  );
  expect(files.flatMap((file) => straysOf(file, readFileSync(join(root, file), "utf8")))).toEqual([]);
  expect(straysOf("planted.ts", "await fetch(url, {\n signal });\nawait fetch(url, { signal, ...direct });")).toEqual([
    "planted.ts: fetch(url, {",
  ]);
});
