// `bun run ops …`: the operator's command line, on what runs here when the environment does not say where things are.
import { spawn } from "node:child_process";
import { join } from "node:path";
import { checkout } from "./installed.ts";
import { directoriesOf } from "./run/directories.ts";
import { readEnvironment } from "./run/role-environment.ts";
import { readStatus } from "./run/status.ts";
import { stackEnvironment } from "./stack/stack.ts";

const env = readEnvironment(checkout);
const names = ["DATABASE_URL", "KAFKA_BROKERS", "SCHEMA_REGISTRY_URL", "REDIS_URL"] as const;
// All of them or none: half from here would bring the database of one system together with the broker of another.
const isTold = names.some((name) => env[name]);
const running = isTold ? undefined : await readStatus(directoriesOf(checkout).state);

const child = spawn(process.execPath, [join("workers", "operator", "ops.ts"), ...process.argv.slice(2)], {
  cwd: checkout,
  env: { ...env, ...(running === undefined ? {} : stackEnvironment(running)) },
  stdio: "inherit",
});
const code = await new Promise<number>((resolve, reject) => {
  child.once("error", reject);
  child.once("exit", (exitCode) => resolve(exitCode ?? 1));
});
if (code === 1 && !isTold && running === undefined)
  process.stderr.write(
    `dev is not running in this checkout: start it with \`npx bun run dev\`, or set ${names.join(", ")}\n`,
  );
process.exitCode = code;
