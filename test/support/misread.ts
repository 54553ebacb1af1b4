import { makeLog } from "../../shared/role/log.ts";
import { runOps } from "../../workers/operator/ops.ts";

/**
 * What the operator's tool does not understand of a line; null when it does. Run without any settings a command ends
 * before it has touched anything, with 1 for what it lacks or, which is what is looked for, with 2 for words it does
 * not know.
 */
export async function misread(words: readonly string[]): Promise<string | null> {
  const said: string[] = [];
  const terminal = { env: {}, print: () => {}, log: makeLog({}, "error", () => {}), now: () => new Date() };
  const code = await runOps(words, terminal, (text) => said.push(text));
  return code === 2 ? said.join("\n") : null;
}
