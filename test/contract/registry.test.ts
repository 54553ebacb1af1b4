import { expect, test } from "bun:test";
import { openRegistry, type RegistryConfig } from "../../shared/avro/registry.ts";
import { stack } from "../support/stack.ts";

const thing = (...fields: readonly string[]) =>
  JSON.stringify({
    type: "record",
    name: "Thing",
    namespace: "taskwire.test",
    fields: fields.map((name) => ({ name, type: ["null", "string"], default: null })),
  });

test("a schema that was registered is found by subject and by id, and registering it again changes nothing", async () => {
  await using world = setup();
  const { registry, subject } = world;
  expect(await registry.lookup(subject, thing("a"))).toBeNull();
  expect(await registry.versions(subject)).toEqual([]);
  const { id } = await registry.register(subject, thing("a"));
  expect(await registry.register(subject, thing("a"))).toEqual({ id });
  expect(await registry.lookup(subject, thing("a"))).toEqual({ id, version: 1 });
  expect(await registry.versions(subject)).toEqual([1]);
  expect(await registry.version(subject, 1)).toMatchObject({ id });
  expect(JSON.parse((await registry.schemaById(id)) ?? "")).toEqual(JSON.parse(thing("a")));
});

test("an id nobody was given has no schema", async () => {
  await using world = setup();
  expect(await world.registry.schemaById(2_000_000_000)).toBeNull();
});

test("a level set for a subject is told back, and the registry refuses what breaks it with its reason", async () => {
  await using world = setup();
  const { registry, subject } = world;
  await registry.register(subject, thing("a"));
  await registry.setCompatibility(subject, "FULL_TRANSITIVE");
  expect(await registry.compatibility(subject)).toBe("FULL_TRANSITIVE");
  await registry.register(subject, thing("a", "b"));
  expect(await registry.versions(subject)).toEqual([1, 2]);
  const broken = JSON.stringify({ ...JSON.parse(thing()), fields: [{ name: "c", type: "string" }] });
  await expect(registry.register(subject, broken)).rejects.toThrow(/409.*[Ii]ncompatible/);
});

test("many who register a subject and set its first level at once all succeed", async () => {
  for (let n = 0; n < 20; n++) {
    await using world = setup();
    const { registry, subject } = world;
    const apply = async () => {
      const { id } = await registry.register(subject, thing("a"));
      await registry.setCompatibility(subject, "FULL_TRANSITIVE");
      return id;
    };
    const ids = await Promise.all(Array.from({ length: 4 }, apply));
    expect(new Set(ids).size).toBe(1);
    expect([await registry.compatibility(subject), await registry.versions(subject)]).toEqual(["FULL_TRANSITIVE", [1]]);
  }
});

test("what is no schema is refused with the registry's words, and is no outage", async () => {
  await using world = setup();
  await expect(world.registry.register(world.subject, '{"type":"nonsense"}')).rejects.toMatchObject({ name: "Error" });
});

const outages: readonly (readonly [string, () => Response | Promise<Response>])[] = [
  ["answers 503", () => new Response("down for maintenance", { status: 503 })],
  ["refuses our credentials", () => new Response("{}", { status: 401 })],
  ["does not answer in time", () => new Promise<Response>(() => {})],
  ["begins an answer and stops", () => new Response(new ReadableStream({ start: (c) => c.enqueue("{") }))],
];
for (const [what, answer] of outages)
  test(`a registry that ${what} is unavailable, and the cause says at which address`, async () => {
    await using server = serve(answer);
    await expect(server.registry.schemaById(1)).rejects.toMatchObject({
      code: "UNAVAILABLE",
      cause: expect.objectContaining({ message: expect.stringContaining(`GET ${server.url}/schemas/ids/1: `) }),
    });
  });

test("a registry that is not there is unavailable", async () => {
  const server = serve(() => new Response());
  await server[Symbol.asyncDispose]();
  await expect(server.registry.ping()).rejects.toMatchObject({ code: "UNAVAILABLE" });
});

test("an answer of something else than a registry is told, not believed", async () => {
  await using server = serve(() => new Response("<html>welcome</html>"));
  const error = await server.registry.schemaById(1).catch((reason: unknown) => reason);
  expect(error).toMatchObject({ code: "UNAVAILABLE", message: "what answers is not a schema registry" });
  expect(error instanceof Error && String(error.cause)).toContain("<html>welcome</html>");
});

test("credentials and awkward subjects arrive as they are", async () => {
  const seen: string[] = [];
  await using server = serve(
    (request) => {
      seen.push(new URL(request.url).pathname, request.headers.get("authorization") ?? "");
      return Response.json([2, 1]);
    },
    { user: "ada", password: "p:ü" },
  );
  expect(await server.registry.versions("a/b c")).toEqual([1, 2]);
  expect(seen).toEqual(["/subjects/a%2Fb%20c/versions", `Basic ${Buffer.from("ada:p:ü").toString("base64")}`]);
});

function setup() {
  const config: RegistryConfig = { url: stack().schemaRegistryUrl, user: null, password: null, timeoutMs: 5000 };
  const subject = `test-${crypto.randomUUID()}-taskwire.test.Thing`;
  return {
    registry: openRegistry(config),
    subject,
    [Symbol.asyncDispose]: async () => {
      for (const query of ["", "?permanent=true"])
        await fetch(`${config.url}/subjects/${subject}${query}`, { method: "DELETE" });
    },
  };
}

function serve(answer: (request: Request) => Response | Promise<Response>, config: Partial<RegistryConfig> = {}) {
  const server = Bun.serve({ hostname: "127.0.0.1", port: 0, fetch: answer });
  const url = `http://127.0.0.1:${server.port}`;
  return {
    url,
    registry: openRegistry({ url: `${url}/`, user: null, password: null, timeoutMs: 200, ...config }),
    [Symbol.asyncDispose]: () => server.stop(true),
  };
}
