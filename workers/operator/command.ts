import { parseArgs, type ParseArgsOptionsConfig } from "node:util";
import { usageError } from "./usage-error.ts";
import type { Log } from "../../shared/role/log.ts";

/** What a command may touch of the world around it. */
export type Terminal = Readonly<{
  env: Readonly<Record<string, string | undefined>>;
  /** A line, or several, on standard output. */
  print: (text: string) => void;
  log: Log;
  /** Aborted when somebody wants the command to end; asked for by those that have something to put back first. */
  interrupted?: () => AbortSignal;
}>;

/** One word of the command line. `run` resolves with the exit code; what it rejects with is shown and ends with 1. */
export type OperatorCommand = Readonly<{
  summary: string;
  help: string;
  run: (args: readonly string[], terminal: Terminal) => Promise<number>;
}>;

/** Options every command has. */
export const commonOptions = {
  json: { type: "boolean", default: false },
} as const satisfies ParseArgsOptionsConfig;

/** Reads options and words; anything not declared is a usage error that names it. */
export function readArgs<O extends ParseArgsOptionsConfig>(args: readonly string[], options: O) {
  try {
    return parseArgs({ args: [...args], options, strict: true, allowPositionals: true });
  } catch (error) {
    throw usageError(error instanceof Error ? error.message : String(error));
  }
}

/** The one of `verbs` that the words say; the first when there are none. */
export function readVerb<const V extends string>(words: readonly string[], verbs: readonly [V, ...V[]]): V {
  const [word] = words;
  if (words.length > 1) throw usageError(`unexpected "${words[1]}"`);
  const verb = word === undefined ? verbs[0] : verbs.find((candidate) => candidate === word);
  if (verb === undefined) throw usageError(`"${word}" is not one of ${verbs.join(", ")}`);
  return verb;
}

/** A whole number of the command line. */
export function readNumber(name: string, text: string): number {
  const value = Number(text);
  if (!Number.isSafeInteger(value) || value < 0) throw usageError(`--${name} must be a whole number, not "${text}"`);
  return value;
}
