import { mkdirSync, rmSync } from "node:fs";
import { join } from "node:path";

/**
 * Flags that keep what a JVM unpacks and shares (native libraries, performance data) out of the machine's /tmp, where a
 * killed one would leave it for ever: in `<directory>/tmp`, emptied at each start.
 */
export function javaScratch(directory: string): readonly string[] {
  const scratch = join(directory, "tmp");
  rmSync(scratch, { recursive: true, force: true });
  mkdirSync(scratch, { recursive: true });
  return [`-Djava.io.tmpdir=${scratch}`, "-XX:-UsePerfData"];
}
