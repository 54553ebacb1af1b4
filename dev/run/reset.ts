import { readdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import { askDocker, wipeComposeStack } from "../stack/compose.ts";
import { removePostgresOutside } from "../stack/postgres-directory.ts";
import { stopRecorded } from "../stack/stop-recorded.ts";

/**
 * Wipes everything a stack has stored, whichever kind it was. The caller holds the state directory. Downloads are kept.
 */
export async function resetState(
  options: Readonly<{ checkout: string; stateDirectory: string; docker: boolean; say: (line: string) => void }>,
): Promise<void> {
  const { stateDirectory } = options;
  await stopRecorded(join(stateDirectory, "roles"));
  await stopRecorded(join(stateDirectory, "processes"));
  if (options.docker && "version" in askDocker()) await wipeComposeStack(options);
  removePostgresOutside(stateDirectory);
  for (const name of readdirSync(stateDirectory))
    if (name !== "owner.json") rmSync(join(stateDirectory, name), { recursive: true, force: true });
}
