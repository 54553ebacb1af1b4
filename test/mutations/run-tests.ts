import { spawn } from "node:child_process";

/** What one test file said: that all is well, or the first test of it that failed. */
type Verdict = Readonly<{ passed: true }> | Readonly<{ passed: false; test: string; output: string }>;

export type TestRun = Readonly<{ file: string; title: string | undefined }>;

const patienceMs = 240_000;

/**
 * Runs one test file of a checkout, or those of its tests that have the title, until its first failure, in a process
 * group of its own, which is ended as a whole: a test that is cut short leaves what it started. A run that does not end
 * in four minutes has failed.
 */
export async function runTests(
  checkout: string,
  { file, title }: TestRun,
  env: Readonly<Record<string, string | undefined>>,
): Promise<Verdict> {
  const only = title === undefined ? [] : ["-t", title.replaceAll(/[^\w\s]/g, ".")];
  const tests = spawn(process.execPath, ["test", "--bail", "--timeout", "60000", ...only, `./${file}`], {
    cwd: checkout,
    env: { ...env, NODE_ENV: "test", KERNEL_SEEDS: "1-40", KERNEL_PATIENCE_MS: "20000" },
    stdio: ["ignore", "ignore", "pipe"],
    detached: true,
  });
  const end = () => {
    try {
      if (tests.pid !== undefined) process.kill(-tests.pid, "SIGKILL");
    } catch {
      // the group has just ended
    }
  };
  let output = "";
  let isLate = false;
  tests.stderr.setEncoding("utf8").on("data", (text: string) => (output += text));
  const timer = setTimeout(() => {
    isLate = true;
    end();
  }, patienceMs);
  const code = await new Promise<number | null>((resolve) => tests.once("exit", resolve));
  clearTimeout(timer);
  end();
  if (code === 0) return { passed: true };
  const failed = /^\(fail\) (.+?)(?: \[[\d.]+m?s\])?$/m.exec(output)?.[1]?.replace(/ after ".*: \{$/, "");
  return { passed: false, test: failed ?? (isLate ? "it stands still" : "the file does not load"), output };
}
