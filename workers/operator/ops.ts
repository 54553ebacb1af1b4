// The operator's command line: `ops <command>`. Reads and mends what the roles stand on; every command is safe to run
// twice.
import { makeLog } from "../../shared/role/log.ts";
import { printable } from "../../shared/printable.ts";
import type { OperatorCommand, Terminal } from "./command.ts";
import type { ActionCommand } from "./action-command.ts";
import { sharedCommands } from "./commands.ts";
import { aclsCommand } from "./commands/acls.ts";
import { databaseCommand } from "./commands/database.ts";
import { lagCommand } from "./commands/lag.ts";
import { migrateCommand } from "./commands/migrate.ts";
import { rebuildCommand } from "./commands/rebuild.ts";
import { replayCommand } from "./commands/replay.ts";
import { runActions } from "./run-actions.ts";

/** Every command, in the order in which they are shown. */
export const commands: Readonly<Record<string, OperatorCommand | ActionCommand>> = {
  migrate: migrateCommand,
  topics: sharedCommands.topics,
  schemas: sharedCommands.schemas,
  acls: aclsCommand,
  lag: lagCommand,
  groups: sharedCommands.groups,
  consumers: sharedCommands.consumers,
  parked: sharedCommands.parked,
  replay: replayCommand,
  rebuild: rebuildCommand,
  dlq: sharedCommands.dlq,
  outbox: sharedCommands.outbox,
  database: databaseCommand,
  audit: sharedCommands.audit,
};

/**
 * Runs one command line. Resolves with the exit code: 0 done, 1 failed, 2 not understood; failures are told on
 * `complain`. Of what is printed, also of records and keys that others wrote, characters that would steer a terminal
 * are JSON escapes.
 */
export async function runOps(args: readonly string[], own: Terminal, tell: (text: string) => void): Promise<number> {
  const terminal = { ...own, print: (text: string) => own.print(printable(text)) };
  const complain = (text: string) => tell(printable(text));
  const [name = "--help", ...rest] = args;
  if (name === "--help" || name === "help") {
    terminal.print(overview());
    return 0;
  }
  const command = Object.hasOwn(commands, name) ? commands[name] : undefined;
  if (command === undefined) {
    complain(`ops: there is no command "${name}"\n\n${overview()}`);
    return 2;
  }
  if (rest.includes("--help")) {
    terminal.print(command.help);
    return 0;
  }
  try {
    return await ("run" in command ? command.run(rest, terminal) : runActions(command, rest, terminal));
  } catch (error) {
    const usage = error instanceof Error && "code" in error && error.code === "USAGE";
    complain(`ops ${args.join(" ")}: ${reasons(error).join("\n  because ")}`);
    const advice = adviceFor(error);
    if (advice !== null) complain(advice);
    if (usage) complain(`\n${command.help}`);
    return usage ? 2 : 1;
  }
}

function overview(): string {
  const width = Math.max(...Object.keys(commands).map((name) => name.length));
  const lines = Object.entries(commands).map(([name, { summary }]) => `  ${name.padEnd(width)}  ${summary}`);
  return `ops <command> [--json] [--help]\n\n${lines.join("\n")}`;
}

/** What to do first, where the failure says that something was not done yet. */
function adviceFor(error: unknown): string | null {
  if (!(error instanceof Error)) return null;
  // Commands work on a database of any age as long as it has the tables they read.
  if ("code" in error && error.code === "42P01")
    return "the database is older than this build: run `ops migrate` first";
  return /^(unknown topic|there is no topic) /i.test(error.message) ? "run `ops topics apply` first" : null;
}

/** What an error says, and what its causes and parts say, each once. */
function reasons(error: unknown, depth = 0): readonly string[] {
  if (!(error instanceof Error) || depth > 4) return depth === 0 ? [String(error)] : [];
  const parts: readonly unknown[] = "errors" in error && Array.isArray(error.errors) ? error.errors.slice(0, 3) : [];
  // A refused connection comes without a message of its own.
  const own = error.message || ("code" in error ? String(error.code) : error.name);
  return [...new Set([own, ...[error.cause, ...parts].flatMap((inner) => reasons(inner, depth + 1))])];
}

if (import.meta.main) {
  process.exitCode = await runOps(
    process.argv.slice(2),
    {
      env: process.env,
      print: (text) => void process.stdout.write(`${text}\n`),
      interrupted: () => {
        const stop = new AbortController();
        for (const signal of ["SIGINT", "SIGTERM"] as const) process.once(signal, () => stop.abort());
        return stop.signal;
      },
      log: makeLog({ role: "ops" }, "warn", (line) => void process.stderr.write(`${line}\n`)),
    },
    (text) => void process.stderr.write(`${text}\n`),
  );
}
