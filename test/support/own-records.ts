import { join } from "node:path";
import { openDeathWatch } from "../../dev/stack/death-watch.ts";

const checkout = join(import.meta.dir, "../..");

type OwnRecords = Readonly<{ recordsDirectory: string; release: () => void }>;

/**
 * Where a test records servers that it starts under `directory`. They have process groups of their own, so a test run
 * that is killed would leave them: they end with it, until `release` says that the test has stopped them.
 */
export function ownRecords(directory: string): OwnRecords {
  const recordsDirectory = join(directory, "processes");
  const { release } = openDeathWatch(checkout, [recordsDirectory]);
  return { recordsDirectory, release };
}
