import { expect, test } from "bun:test";

/**
 * Counts, in a process of its own, the checks that are compiled while the Kafka client is loaded, then when one is
 * asked.
 */
const count = `
  const { default: Ajv } = await import("ajv/dist/core.js");
  let made = 0;
  const compile = Ajv.prototype.compile;
  Ajv.prototype.compile = function (...given) { made++; return compile.apply(this, given); };
  const { Consumer } = await import("@platformatic/kafka");
  const loaded = made;
  const options = { groupId: "a", clientId: "a", bootstrapBrokers: ["127.0.0.1:1"], strict: true };
  let said = "";
  try { new Consumer({ ...options, sessionTimeout: "soon" }); } catch (error) { said = error.message; }
  console.log(JSON.stringify({ loaded, asked: made > loaded, said }));
  process.exit();
`;

test("the Kafka client that is installed is patched: a check of options is compiled when it is asked, and still checks", async () => {
  const child = Bun.spawn([process.execPath, "-e", count], { cwd: `${import.meta.dir}/../../..`, stdout: "pipe" });
  const told = JSON.parse(await new Response(child.stdout).text()) as unknown;
  expect(told).toEqual({ loaded: 0, asked: true, said: expect.stringContaining("sessionTimeout") });
});
