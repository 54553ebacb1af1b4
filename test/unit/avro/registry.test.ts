import { expect, test } from "bun:test";
import { classify } from "../../../shared/consume/failure/classify.ts";
import { openRegistry } from "../../../shared/avro/registry.ts";

/** A client of something that answers every request like this. */
function askOf(answer: () => Response | Promise<Response>) {
  const server = Bun.serve({ port: 0, hostname: "127.0.0.1", fetch: answer });
  const registry = openRegistry({ url: server.url.href, user: null, password: null, timeoutMs: 100 });
  return { registry, [Symbol.asyncDispose]: () => server.stop(true) };
}
const page = "<html><body>Sign in to the network</body></html>";

test.each([
  ["a page instead of an answer", () => new Response(page)],
  ["a proxy's page about something missing", () => new Response(page, { status: 404 })],
  ["a proxy's refusal in JSON", () => Response.json({ message: "no such route" }, { status: 404 })],
  ["an empty 404", () => new Response(null, { status: 404 })],
  ["a demand to sign in to a proxy", () => Response.json({ message: "who are you?" }, { status: 407 })],
  ["a page about a method", () => new Response(page, { status: 405 })],
  ["JSON of something else", () => Response.json({ status: "up" })],
  ["a list", () => Response.json([1, 2])],
  ["null", () => Response.json(null)],
  ["half an answer", () => new Response('{"schema": "{')],
  ["nothing", () => new Response("")],
  ["too much to do", () => Response.json({ error_code: 429, message: "later" }, { status: 429 })],
  ["a broken server", () => new Response("oops", { status: 502 })],
  ["no answer in time", () => Bun.sleep(1_000).then(() => Response.json({ schema: "late" }))],
] as const)("%s is a registry that is down, not a schema that is not there", async (_what, answer) => {
  await using asked = askOf(answer);
  for (const ask of [
    () => asked.registry.schemaById(7),
    () => asked.registry.lookup("subject", "{}"),
    () => asked.registry.register("subject", "{}"),
    () => asked.registry.version("subject", 1),
  ]) {
    const error = await ask().then(
      (found) => ({ found }),
      (reason: unknown) => reason,
    );
    expect(error).toMatchObject({ code: "UNAVAILABLE" });
    expect(classify(error)).toBe("dependency_down");
  }
});

test("what a registry says of a schema it does not have, or refuses, is its word", async () => {
  await using missing = askOf(() =>
    Response.json({ error_code: 40403, message: "Schema 7 not found" }, { status: 404 }),
  );
  expect(await missing.registry.schemaById(7)).toBeNull();
  await using refusing = askOf(() => Response.json({ error_code: 409, message: "incompatible" }, { status: 409 }));
  expect(refusing.registry.register("subject", "{}")).rejects.toMatchObject({ status: 409 });
});
