import { linkSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { identify, isAlive, type ProcessIdentity } from "./process-identity.ts";

export type StateClaim = Readonly<{ release: () => void }>;

/**
 * Makes this process the only one to use a state directory, until `release` or its death. Returns the holder's pid when
 * another living process has it; the claim of a dead one is taken over.
 */
export function claimState(directory: string): StateClaim | Readonly<{ heldBy: number }> {
  mkdirSync(directory, { recursive: true });
  const path = join(directory, "owner.json");
  const mine = join(directory, `owner.${process.pid}`);
  const self = identify(process.pid);
  if (self === undefined) throw new Error("this process cannot be identified");
  writeFileSync(mine, JSON.stringify(self));
  try {
    for (let attempt = 0; attempt < 5; attempt += 1) {
      try {
        linkSync(mine, path); // fails when it is there, and never shows half a file
        return { release: () => rmSync(path, { force: true }) };
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code !== "EEXIST") throw error;
      }
      const holder = readOwner(directory);
      if (holder !== undefined && isAlive(holder)) return { heldBy: holder.pid };
      rmSync(path, { force: true });
    }
    throw new Error(`${path} could not be claimed: other processes keep taking it`);
  } finally {
    rmSync(mine, { force: true });
  }
}

/** Who holds or last held a state directory. */
export function readOwner(directory: string): ProcessIdentity | undefined {
  try {
    return JSON.parse(readFileSync(join(directory, "owner.json"), "utf8")) as ProcessIdentity;
  } catch {
    return undefined; // nobody
  }
}
