// `bun run test`: installs what is missing, starts a stack once when a chosen tier needs one, runs the tiers one after
// the other and ends with one line that sums them up.
import { join } from "node:path";
import { checkout, ensureInstalled } from "./installed.ts";
import { provideRdKafka } from "./librdkafka/provide.ts";
import { readEnvironment } from "./run/role-environment.ts";
import { listenForStop } from "./run/stop-signals.ts";
import { missingThing } from "./stack/missing.ts";
import { stackEnvironment } from "./stack/stack.ts";
import { addCounts, renderCounts } from "./testing/junit.ts";
import { openTestStack, type TestStack } from "./testing/open-test-stack.ts";
import { runTier, type TierResult } from "./testing/run-tier.ts";
import { needsStack, parallelFiles, parseTestArguments, type TestArguments, timeoutMs } from "./testing/tiers.ts";

const say = (line: string): void => void process.stdout.write(`${line}\n`);
process.exit(await main(process.argv.slice(2)));

async function main(argv: readonly string[]): Promise<number> {
  let options: TestArguments;
  try {
    options = parseTestArguments(argv);
  } catch (error) {
    process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
    return 2;
  }
  await ensureInstalled();
  const results = await runTiers(options);
  for (const { tier, counts, seconds, note } of results)
    say(
      `${tier.padEnd(8)}  ${renderCounts(counts)}  (${seconds.toFixed(1)} s)${note === undefined ? "" : `  ${note}`}`,
    );
  const slowest = results
    .flatMap((result) => result.cases)
    .toSorted((a, b) => b.seconds - a.seconds)
    .slice(0, 5);
  for (const { seconds, file, name } of slowest.filter((testCase) => testCase.seconds >= 2))
    say(`slow: ${seconds.toFixed(1)} s  ${file}  ${name}`);
  const total = results.map((result) => result.counts).reduce(addCounts, { passed: 0, failed: 0, skipped: 0 });
  if (total.passed + total.failed === 0) say("no test ran");
  say(renderCounts(total));
  return total.failed > 0 || total.passed === 0 ? 1 : 0;
}

async function runTiers({ tiers, long, filters }: TestArguments): Promise<readonly TierResult[]> {
  const { signal, again } = listenForStop();
  void again.then(() => process.exit(130));
  const env = readEnvironment(checkout);
  const requireAll = env["REQUIRE_ALL"] === "1";
  const results: TierResult[] = [];
  // It opens while the tiers that need none run.
  const opening = tiers.some(needsStack) ? openTestStack({ checkout, env, say, signal }) : undefined;
  opening?.catch(() => {});
  const over = new AbortController();
  // Compiled once in a checkout, beside the first tiers; the tests that need it wait for it, and say so where it cannot
  // be had.
  const provided = needsRdKafka(tiers, filters)
    ? provideRdKafka({
        checkout,
        partsDirectory: join(checkout, ".dev", "parts"),
        say,
        signal: AbortSignal.any([signal, over.signal]),
      })
    : undefined;
  // A test that needs it and may not do without it fails by itself.
  provided?.catch(
    (error: unknown) => error instanceof Error && missingThing(error) !== undefined && say(error.message),
  );
  let opened: TestStack | undefined;
  let unavailable: string | undefined;
  try {
    for (const tier of tiers) {
      if (signal.aborted) break;
      if (needsStack(tier) && opened === undefined && unavailable === undefined) {
        try {
          opened = await opening;
        } catch (error) {
          if (signal.aborted) break;
          unavailable = error instanceof Error ? error.message : String(error);
          // A machine without the parts skips; a stack that should start and does not is a failure.
          if (missingThing(error) === undefined) results.push({ ...skippedTier("stack", unavailable, true) });
          say(unavailable);
        }
      }
      if (needsStack(tier) && opened === undefined) {
        results.push(skippedTier(tier, unavailable ?? "no stack", requireAll));
        continue;
      }
      say(`\n── ${tier} ──`);
      const addresses = opened === undefined || !needsStack(tier) ? {} : stackEnvironment(opened.stack.urls);
      const mine = filters.filter((path) => path.replace(/^\.\//, "").startsWith(`test/${tier}/`));
      results.push(
        await runTier({
          checkout,
          tier,
          env: { ...env, ...addresses, NODE_ENV: "test", ...(long ? { LONG_TESTS: "1" } : {}) },
          reportsDirectory: join(checkout, ".dev", "reports"),
          timeoutMs: timeoutMs[tier] * (long ? 10 : 1),
          parallel: parallelFiles[tier],
          filters: mine,
          recordsDirectory: opened?.recordsDirectory,
          signal,
        }),
      );
    }
  } finally {
    over.abort();
    await provided?.catch(() => {});
    await (await opening?.catch(() => undefined))?.close();
  }
  if (signal.aborted) results.push(skippedTier("stopped", `by ${String(signal.reason)}`, true));
  return results;
}

function needsRdKafka(tiers: TestArguments["tiers"], filters: readonly string[]): boolean {
  if (filters.length > 0) return filters.some((path) => path.includes("librdkafka"));
  return tiers.includes("contract") || tiers.includes("flow");
}

function skippedTier(tier: string, reason: string, failed: boolean): TierResult {
  const counts = { passed: 0, failed: failed ? 1 : 0, skipped: failed ? 0 : 1 };
  return { tier, counts, seconds: 0, cases: [], note: `${failed ? "not run" : "skipped"}: ${reason.split("\n")[0]}` };
}
