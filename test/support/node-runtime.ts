import { join } from "node:path";
import { findNode } from "../../dev/librdkafka/find-node.ts";
import { canCompile, provideRdKafka } from "../../dev/librdkafka/provide.ts";
import { missingThing } from "../../dev/stack/missing.ts";

const checkout = join(import.meta.dirname, "../..");

/**
 * Why tests of the second Kafka driver cannot run here, or `null`. With a compiler there is no excuse; REQUIRE_ALL=1
 * takes none.
 */
export async function whyNoRdKafka(): Promise<string | null> {
  try {
    await provideRdKafka({
      checkout,
      partsDirectory: join(checkout, ".dev", "parts"),
      say: (line) => console.log(line),
    });
    return null;
  } catch (error) {
    if (missingThing(error) === undefined || (canCompile() && process.env["REQUIRE_ALL"] === "1")) throw error;
    return error instanceof Error ? error.message : String(error);
  }
}

/** The command line before a file that is to run under Node 24. */
export function nodeCommand(): readonly string[] {
  return [findNode(checkout).program];
}

type NodeTests = Readonly<{ passed: number; failed: number; output: string }>;

/** Runs a test file under Node, where `bun:test` is played by node:test, and counts. */
export async function runUnderNode(file: string): Promise<NodeTests> {
  const child = Bun.spawn(
    [...nodeCommand(), "--import", "./test/node/register.ts", "--test-force-exit", "--test-reporter=spec", file],
    { cwd: checkout, env: { ...process.env, NODE_ENV: "test" }, stdout: "pipe", stderr: "pipe" },
  );
  const [out, err] = await Promise.all([new Response(child.stdout).text(), new Response(child.stderr).text()]);
  await child.exited;
  const count = (what: string) => Number(new RegExp(`^ℹ ${what} (\\d+)$`, "m").exec(out)?.[1] ?? Number.NaN);
  return { passed: count("pass"), failed: count("fail") + count("cancelled"), output: out + err };
}
