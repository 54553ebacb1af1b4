import { expect, setDefaultTimeout, test } from "bun:test";
import { whyNoRdKafka, runUnderNode } from "../support/node-runtime.ts";

// The first run of a checkout compiles the client.
setDefaultTimeout(900_000);

/**
 * The files that hold for both drivers; under Node they run with each. `least`: tests of the second driver among them.
 */
const files = [
  { file: "test/contract/broker.test.ts", least: 20 },
  { file: "test/contract/kafka-silence.test.ts", least: 3 },
] as const;

const why = await whyNoRdKafka();
const skipped = why === null ? "" : ` (skipped: ${why.split("\n")[0]})`;

test.skipIf(why !== null).each(files)(`under Node 24, with librdkafka: $file${skipped}`, async ({ file, least }) => {
  const { passed, failed, output } = await runUnderNode(file);
  if (failed !== 0 || !(passed >= least)) throw new Error(`${passed} passed, ${failed} failed\n${output}`);
  console.log(
    `${file} under Node: ${passed} passed; ${/librdkafka \S+, Node \S+/.exec(output)?.[0] ?? "no version told"}`,
  );
  expect(output).toMatch(/librdkafka 2\.\d+\.\d+\S*, Node v24\./);
});
