import { spawn } from "node:child_process";
import { existsSync, mkdirSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { forgetProcess, recordProcess } from "../stack/process-records.ts";
import { addCounts, type TestCounts, readJunit, type TestCase } from "./junit.ts";

export type TierResult = Readonly<{
  tier: string;
  counts: TestCounts;
  seconds: number;
  cases: readonly TestCase[];
  note?: string;
}>;

type RunTierOptions = Readonly<{
  checkout: string;
  tier: string;
  env: Readonly<Record<string, string | undefined>>;
  reportsDirectory: string;
  /** Per test. */
  timeoutMs: number;
  /** How many files run side by side, each in a process of its own. */
  parallel: number;
  /** Passed to `bun test` after the tier's folder. */
  filters: readonly string[];
  /** Where the run is recorded while it lasts. */
  recordsDirectory?: string | undefined;
  signal: AbortSignal;
}>;

/**
 * Runs `bun test` on one tier, its output going straight to the terminal, and counts from its JUnit report. A run that
 * fails beside its tests counts more failures: one per file that could not be loaded, or one for a crash.
 */
export async function runTier(options: RunTierOptions): Promise<TierResult> {
  const { checkout, tier, env, reportsDirectory, timeoutMs, parallel, filters, recordsDirectory, signal } = options;
  const folder = join("test", tier);
  if (!existsSync(join(checkout, folder)))
    return { tier, counts: noTests, seconds: 0, cases: [], note: "has no tests yet" };
  const report = join(reportsDirectory, `${tier}.xml`);
  mkdirSync(reportsDirectory, { recursive: true });
  rmSync(report, { force: true });
  const began = performance.now();
  const paths = filters.length === 0 ? [`./${folder}/`] : filters;
  const code = await run({
    command: [
      process.execPath,
      "test",
      "--timeout",
      String(timeoutMs),
      ...(parallel > 1 ? [`--parallel=${parallel}`] : []),
      "--reporter=junit",
      `--reporter-outfile=${report}`,
      ...paths,
    ],
    cwd: checkout,
    env,
    recordsDirectory,
    signal,
  });
  const seconds = (performance.now() - began) / 1000;
  const { counts, cases, files } = existsSync(report)
    ? readJunit(readFileSync(report, "utf8"))
    : { counts: noTests, cases: [], files: [] };
  if (code === 0) return { tier, counts, seconds, cases };
  // The report leaves out files that could not be loaded, and everything when bun itself died.
  const unloaded = filters.length > 0 ? [] : testFiles(checkout, folder).filter((file) => !files.includes(file));
  const unseen = Math.max(unloaded.length, counts.failed === 0 ? 1 : 0);
  if (unseen === 0) return { tier, counts, seconds, cases };
  const note =
    unloaded.length > 0 ? `not loaded: ${unloaded.join(", ")}` : `bun test ended with ${code} beside its tests`;
  return { tier, counts: addCounts(counts, { passed: 0, failed: unseen, skipped: 0 }), seconds, cases, note };
}

const testFiles = (checkout: string, folder: string): readonly string[] =>
  [...new Bun.Glob(`${folder}/**/*.test.ts`).scanSync({ cwd: checkout })].toSorted();

const noTests: TestCounts = { passed: 0, failed: 0, skipped: 0 };

/** In a process group of its own, which is ended as a whole: tests start roles. */
function run({
  command,
  cwd,
  env,
  recordsDirectory,
  signal,
}: Readonly<{
  command: readonly [string, ...string[]];
  cwd: string;
  env: RunTierOptions["env"];
  recordsDirectory: string | undefined;
  signal: AbortSignal;
}>): Promise<number | string> {
  return new Promise((resolve) => {
    const child = spawn(command[0], command.slice(1), {
      cwd,
      env: { ...env },
      stdio: ["ignore", "inherit", "inherit"],
      detached: true,
    });
    const { pid } = child;
    if (recordsDirectory !== undefined && pid !== undefined)
      recordProcess(recordsDirectory, { name: "bun-test", pid, stopSignal: "SIGKILL" });
    const kill = (): void => {
      try {
        if (child.pid !== undefined) process.kill(-child.pid, "SIGKILL");
      } catch {
        // it has just ended
      }
    };
    if (signal.aborted) kill();
    signal.addEventListener("abort", kill, { once: true });
    child.once("error", (error) => resolve(error.message));
    child.once("exit", (code, endSignal) => {
      signal.removeEventListener("abort", kill);
      kill(); // whatever a test left in the group
      if (recordsDirectory !== undefined && pid !== undefined) forgetProcess(recordsDirectory, "bun-test", pid);
      resolve(code ?? `${endSignal}`);
    });
  });
}
