import { rmSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { claimState, type StateClaim } from "../stack/claim-state.ts";
import { wipeComposeStack } from "../stack/compose.ts";
import { openDeathWatch } from "../stack/death-watch.ts";
import { chooseStack, openStack } from "../stack/open-stack.ts";
import { removePostgresOutside } from "../stack/postgres-directory.ts";
import { openPortClaims } from "../stack/ports.ts";
import type { Stack } from "../stack/stack.ts";
import { stopRecorded } from "../stack/stop-recorded.ts";

/** Away from the ports of `bun run dev` and of the servers people have running. */
const testPorts = { postgres: 25_432, kafka: 29_092, registry: 28_081, redis: 26_379 } as const;

export type TestStack = Readonly<{
  stack: Stack;
  logsDirectory: string;
  /** Where processes of this run are recorded, so that they end with it in any case. */
  recordsDirectory: string;
  close: () => Promise<void>;
}>;

/**
 * Opens a stack for one test run, of the kind that dev would choose, always with empty data, in a state directory that
 * no other run uses. What a killed run left in it is stopped and wiped first.
 */
export async function openTestStack(
  options: Readonly<{
    checkout: string;
    env: Readonly<Record<string, string | undefined>>;
    say: (line: string) => void;
    signal: AbortSignal;
  }>,
): Promise<TestStack> {
  const { directory, claim } = claimTestState(join(options.checkout, ".dev"));
  const claims = openPortClaims();
  const recordsDirectory = join(directory, "processes");
  const deathWatch = openDeathWatch(options.checkout, [recordsDirectory]);
  const wipeContainers = async (): Promise<void> => {
    const { kind } = chooseStack(options.env);
    if (kind === "compose") await wipeComposeStack({ ...options, stateDirectory: directory });
  };
  const release = (): void => {
    deathWatch.release();
    claims.release();
    claim.release();
  };
  try {
    await stopRecorded(recordsDirectory);
    wipe(directory);
    await wipeContainers();
    const stack = await openStack({
      ...options,
      stateDirectory: directory,
      partsDirectory: join(options.checkout, ".dev", "parts"),
      usualPorts: testPorts,
      claims,
    });
    const close = async (): Promise<void> => {
      await stack.stop(8_000);
      removePostgresOutside(directory);
      await wipeContainers();
      release();
    };
    return { stack, logsDirectory: join(directory, "logs"), recordsDirectory, close };
  } catch (error) {
    release();
    throw error;
  }
}

/** The first of test, test-2, … that nobody uses, so that two runs in one checkout do not meet. */
function claimTestState(root: string): Readonly<{ directory: string; claim: StateClaim }> {
  for (let number = 1; number <= 9; number += 1) {
    const directory = join(root, number === 1 ? "test" : `test-${number}`);
    const claim = claimState(directory);
    if ("release" in claim) return { directory, claim };
  }
  throw new Error("Nine test runs are under way in this checkout; wait for one to end.");
}

function wipe(directory: string): void {
  removePostgresOutside(directory);
  for (const name of readdirSync(directory))
    if (name !== "owner.json") rmSync(join(directory, name), { recursive: true, force: true });
}
