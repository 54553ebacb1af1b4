import { readdirSync, readFileSync, rmSync, truncateSync } from "node:fs";
import { join } from "node:path";

/**
 * Takes the end of a partition away, as a disk does that lost what it had acknowledged: everything from the first batch
 * on that begins at `offset` or later. The broker must be dead. It makes the indexes anew, by what it finds.
 */
export function cutLog(folder: string, offset: bigint): void {
  for (const name of readdirSync(folder)) {
    const path = join(folder, name);
    if (/\.(index|timeindex|snapshot)$/.test(name)) rmSync(path);
    if (!name.endsWith(".log")) continue;
    const bytes = readFileSync(path);
    // A batch: its first offset (8 bytes), the length of what follows (4 bytes), the rest.
    let at = 0;
    while (at + 12 <= bytes.length && bytes.readBigInt64BE(at) < offset) at += 12 + bytes.readInt32BE(at + 8);
    truncateSync(path, at);
  }
}
