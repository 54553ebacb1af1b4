import { afterEach, beforeEach, expect, test } from "bun:test";
import { readdirSync, readFileSync } from "node:fs";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { identify } from "../../dev/stack/process-identity.ts";
import { openDevCheckout, type DevCheckout } from "../support/dev-checkout.ts";
import { until } from "../support/until.ts";

let checkout: DevCheckout;
beforeEach(async () => {
  checkout = await openDevCheckout();
});
afterEach(() => checkout[Symbol.asyncDispose]());

const viaNpx = ["npx", "--yes", "bun@1.4.5", "run", "dev", "--only", "worker,operator"] as const;

/** Every process that runs in the checkout, by its working directory. */
function living(but = 0): readonly number[] {
  return readdirSync("/proc")
    .map(Number)
    .filter((pid) => pid > 0 && pid !== but && workingDirectory(pid) === checkout.path && identify(pid) !== undefined);
}

function workingDirectory(pid: number): string | null {
  const inEnvironment = (variable: string) =>
    readFileSync(`/proc/${pid}/environ`, "utf8").split("\0").includes(variable);
  try {
    return inEnvironment(`PWD=${checkout.path}`) || inEnvironment(`INIT_CWD=${checkout.path}`) ? checkout.path : null;
  } catch {
    return null;
  }
}

const nothingIsLeft = (but?: number) =>
  until("nothing of it is left running", () => living(but).length === 0, {
    timeoutMs: 15_000,
    describe: () =>
      living()
        .map((pid) => readFileSync(`/proc/${pid}/cmdline`, "utf8").replaceAll("\0", " "))
        .join("\n"),
  });

// Not SIGINT to npx alone: it takes that to be a Ctrl-C, which reaches its children too, and waits for them.
for (const signal of ["SIGTERM", "SIGKILL"] as const)
  test.skipIf(process.platform !== "linux")(`${signal} to the npx that started it stops everything`, async () => {
    const run = checkout.run(viaNpx);
    await checkout.says(run, "Ctrl-C stops everything");
    expect(living().length).toBeGreaterThanOrEqual(5);
    process.kill(run.pid, signal);
    await nothingIsLeft();
    await checkout.says(run, "stopped, nothing is left running");
  });

for (const [what, end] of [
  ["a terminal that is closed", (terminal: Bun.Terminal) => terminal.close()],
  ["a Ctrl-C in the terminal", (terminal: Bun.Terminal) => terminal.write("\x03")],
] as const)
  test.skipIf(process.platform !== "linux")(`${what} stops everything`, async () => {
    let said = "";
    const decoder = new TextDecoder();
    const shell = Bun.spawn(["sh", "-ic", viaNpx.join(" ")], {
      cwd: checkout.path,
      env: { ...checkout.env, PWD: checkout.path },
      terminal: { cols: 200, rows: 50, data: (_terminal, bytes) => void (said += decoder.decode(bytes)) },
    });
    await until("dev is ready", () => said.includes("Ctrl-C stops everything"), {
      timeoutMs: 60_000,
      describe: () => said,
    });
    if (shell.terminal !== undefined) end(shell.terminal);
    await nothingIsLeft(shell.pid); // an interactive shell stays after a Ctrl-C
    shell.kill("SIGKILL");
  });

test.skipIf(process.platform !== "linux")("a script that ran it in the background may end before it", async () => {
  await writeFile(join(checkout.path, "start.sh"), `${viaNpx.join(" ")} > log 2>&1 &\n`);
  await checkout.run(["sh", "start.sh"]).exited;
  const log = () => readFileSync(join(checkout.path, "log"), "utf8");
  await until("dev is ready", () => log().includes("Ctrl-C stops everything"), { timeoutMs: 60_000, describe: log });
  await Bun.sleep(1_500); // three looks at those that started it
  expect(log()).not.toContain("stopping");
  const owner: { pid: number } = JSON.parse(readFileSync(join(checkout.path, ".dev/dev/owner.json"), "utf8"));
  process.kill(owner.pid, "SIGTERM");
  await nothingIsLeft();
});
