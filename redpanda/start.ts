// The entry point of the image: `task-service` or another role's name runs that role, `ops …` the operator's command
// line, `prepare` what comes before a release. All in this process, which the signals reach: there is no shell in
// between, nor in the image.
import { makeLog } from "../shared/role/log.ts";
import { roleNames } from "../shared/messages/topics.ts";

/** Each safe to run twice; a role of this build starts once all have run. */
const preparation = [["migrate"], ["topics", "apply"], ["schemas", "apply"]] as const;

const [what = "", ...rest] = process.argv.slice(2);
if (roleNames.some((role) => role === what)) await import(`../workers/${what}/main.ts`);
else if (what === "ops") process.exitCode = await ops(rest);
else if (what === "prepare") {
  for (const command of preparation) if ((process.exitCode = await ops(command)) !== 0) break;
} else {
  process.stderr.write(`start what? ${[...roleNames, "prepare", "ops …"].join(", ")}; not "${what}"\n`);
  process.exitCode = 2;
}

async function ops(args: readonly string[]): Promise<number> {
  const { runOps } = await import("../workers/operator/ops.ts");
  const log = makeLog({ role: "ops" }, "warn", (line) => void process.stderr.write(`${line}\n`));
  const print = (text: string) => void process.stdout.write(`${text}\n`);
  return runOps(args, { env: process.env, print, log }, (text) => void process.stderr.write(`${text}\n`));
}
