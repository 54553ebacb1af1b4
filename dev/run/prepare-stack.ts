import { join } from "node:path";
import { runCommand } from "../stack/run-command.ts";

/** What has to be true before a role starts, in this order; each is idempotent. */
const preparations = [
  { label: "migrate", arguments: ["migrate"] },
  { label: "topics", arguments: ["topics", "apply"] },
  { label: "schemas", arguments: ["schemas", "apply"] },
] as const;

export const preparationLabels: readonly string[] = preparations.map(({ label }) => label);

/**
 * Migrates the database and applies topics and schemas by the operator's own commands. Throws on the first that fails.
 */
export async function prepareStack({
  checkout,
  env,
  signal,
  printerOf,
}: Readonly<{
  checkout: string;
  env: Readonly<Record<string, string | undefined>>;
  signal?: AbortSignal;
  printerOf: (label: string) => (line: string) => void;
}>): Promise<void> {
  for (const { label, arguments: words } of preparations) {
    const script = join("workers", "operator", "ops.ts");
    const command = [process.execPath, script, ...words] as const;
    const { ended } = await runCommand({ command: [...command], cwd: checkout, env, signal, onLine: printerOf(label) });
    signal?.throwIfAborted();
    if (ended !== 0)
      throw new Error(
        `\`ops ${words.join(" ")}\` failed (${typeof ended === "number" ? `exit code ${ended}` : ended}); see its lines above.`,
      );
  }
}
