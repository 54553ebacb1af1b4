import { join } from "node:path";
import type { RoleName } from "../../shared/messages/topics.ts";
import type { Terminal } from "./command.ts";

/**
 * Runs a script of another role's code with one argument, as JSON, and resolves with what it printed: no role imports
 * another.
 */
export async function runScript(
  { role, script, argument }: Readonly<{ role: RoleName; script: string; argument: unknown }>,
  { env }: Pick<Terminal, "env">,
): Promise<unknown> {
  const path = join(import.meta.dirname, "..", role, script);
  const child = Bun.spawn([process.execPath, path, JSON.stringify(argument)], {
    env: { ...env },
    stdout: "pipe",
    stderr: "pipe",
  });
  const [out, err, code] = await Promise.all([
    new Response(child.stdout).text(),
    new Response(child.stderr).text(),
    child.exited,
  ]);
  if (code !== 0) throw new Error(`${role}/${script} ended with ${code}: ${err.trim()}`);
  return JSON.parse(out);
}
