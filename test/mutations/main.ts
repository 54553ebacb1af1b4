// Plants one mutation after the other in a copy of the checkout, runs the tests that cover it and puts it back; writes
// what caught each to test/mutations/caught.md. A mutation that nothing catches is a rule that no test guards.
//   bun test/mutations/main.ts [--area NAME] [--match TEXT]… [--survivors]
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { stackEnvironment } from "../../dev/stack/stack.ts";
import { openTestStack } from "../../dev/testing/open-test-stack.ts";
import { needsStack, tiers } from "../../dev/testing/tiers.ts";
import { areas } from "./areas.ts";
import { readCaught, writeCaught, type Caught } from "./caught.ts";
import type { Area, Mutation } from "./mutation.ts";
import { copyCheckout, planted } from "./plant.ts";
import { runTests, type TestRun } from "./run-tests.ts";

const checkout = join(import.meta.dir, "../..");
const { values } = parseArgs({
  options: {
    area: { type: "string" },
    match: { type: "string", multiple: true },
    survivors: { type: "boolean", default: false },
  },
});
const say = (line: string): void => void process.stdout.write(`${line}\n`);
process.exit(await main());

async function main(): Promise<number> {
  const before = await readCaught(checkout);
  const chosen = areas
    .filter(({ name }) => values.area === undefined || name === values.area)
    .flatMap((area) => area.mutations.map((mutation) => ({ area, mutation })))
    .filter(({ mutation: { breaks } }) => (values.match ?? [""]).some((text) => breaks.includes(text)))
    .filter(({ mutation: { breaks } }) => !values.survivors || before.get(breaks)?.file === undefined);
  if (chosen.length === 0) {
    say("no mutation has that name");
    return 2;
  }
  const stop = new AbortController();
  for (const signal of ["SIGINT", "SIGTERM"] as const) process.once(signal, () => stop.abort());
  const copy = join(checkout, ".dev", "mutants");
  mkdirSync(join(checkout, ".dev"), { recursive: true });
  await copyCheckout(checkout, copy);
  const opened = await openTestStack({ checkout, env: process.env, say, signal: stop.signal });
  const env = { ...process.env, ...stackEnvironment(opened.stack.urls) };
  const sound = new Map<string, Promise<boolean>>();
  /** Whether a test file passes without any mutation, of two tries one: what it says counts only then. */
  const isSound = (run: TestRun): Promise<boolean> => {
    const name = `${run.file} ${run.title}`;
    const known = sound.get(name) ?? passes(run);
    sound.set(name, known);
    return known;
  };
  const passes = async (run: TestRun): Promise<boolean> => {
    for (let tries = 2; tries > 0; tries -= 1) {
      const verdict = await runTests(copy, run, env);
      if (verdict.passed) return true;
      say(`         ${run.file} fails without any mutation: ${verdict.test}`);
    }
    return false;
  };
  const found = new Map(before);
  let survived = 0;
  try {
    for (const { area, mutation } of chosen) {
      if (stop.signal.aborted) return 130;
      const caught = await seek(area, mutation, { copy, env, isSound, signal: stop.signal });
      if (stop.signal.aborted) return 130;
      found.set(mutation.breaks, caught);
      if (caught.file === undefined) survived += 1;
      say(`${caught.file === undefined ? "SURVIVED" : "caught  "} ${area.name}: ${mutation.breaks}`);
      if (caught.file !== undefined) say(`         ${caught.file}: ${caught.test}`);
      await writeCaught(checkout, found);
    }
  } finally {
    await opened.close();
  }
  say(`${chosen.length - survived} caught, ${survived} survived`);
  return survived === 0 ? 0 : 1;
}

/** The first test file, in the order given, that fails with the mutation and passes without. */
async function seek(
  area: Area,
  mutation: Mutation,
  of: Readonly<{
    copy: string;
    env: Readonly<Record<string, string | undefined>>;
    isSound: (run: TestRun) => Promise<boolean>;
    signal: AbortSignal;
  }>,
): Promise<Caught> {
  for (const file of mutation.tests ?? area.tests) {
    if (of.signal.aborted) break;
    const run = { file, title: mutation.title };
    const tier = tiers.find((name) => file.startsWith(`test/${name}/`));
    if (tier === undefined) throw new Error(`${file} is in no tier`);
    // What a busy machine made fail would pass the next time; only then is it looked at twice, where the tier has real
    // time in it.
    for (let tries = needsStack(tier) ? 2 : 1; tries > 0; tries -= 1) {
      const verdict = await planted(of.copy, mutation, () => runTests(of.copy, run, of.env));
      if (verdict.passed) break;
      if (tries === 1 && (await of.isSound(run))) return { file, test: verdict.test };
    }
  }
  return { file: undefined, test: undefined };
}
