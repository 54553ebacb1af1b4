import { printable } from "../printable.ts";

/**
 * One JSON line per call on standard output. Fields are ids and numbers, never titles, payloads or tokens.
 * `error` is written as its name, message, code and stack, with its causes and parts below it.
 */
export type Log = Readonly<{
  debug: (event: string, fields?: LogFields) => void;
  info: (event: string, fields?: LogFields) => void;
  warn: (event: string, fields?: LogFields) => void;
  error: (event: string, fields?: LogFields) => void;
  /** The same log with fields added to every line. */
  with: (fields: LogFields) => Log;
}>;

type LogFields = Readonly<Record<string, unknown>>;

const levels = ["debug", "info", "warn", "error"] as const;
export type Level = (typeof levels)[number];

/** Writes lines at `level` and above through `write`, which gets one line without its newline. */
export function makeLog(
  fields: LogFields,
  level: Level = "info",
  write: (line: string) => void = (line) => void process.stdout.write(`${line}\n`),
): Log {
  const at = (lineLevel: Level) =>
    levels.indexOf(lineLevel) < levels.indexOf(level)
      ? () => {}
      : (event: string, more?: LogFields) =>
          write(
            printable(
              JSON.stringify({ time: new Date().toISOString(), level: lineLevel, ...fields, event, ...more }, replace),
            ),
          );
  return {
    debug: at("debug"),
    info: at("info"),
    warn: at("warn"),
    error: at("error"),
    with: (more) => makeLog({ ...fields, ...more }, level, write),
  };
}

function replace(_key: string, value: unknown): unknown {
  if (typeof value === "bigint") return Number(value);
  if (value instanceof Error) return describeError(value, 0);
  return value;
}

function describeError(error: Error, depth: number): LogFields {
  const code = "code" in error ? { code: error.code } : {};
  const cause = error.cause instanceof Error && depth < 4 ? { cause: describeError(error.cause, depth + 1) } : {};
  return {
    name: error.name,
    message: error.message,
    ...code,
    stack: error.stack?.slice(0, 4096),
    ...cause,
    ...parts(error, depth),
  };
}

/** What an AggregateError is made of: of those of the Kafka client and of sockets, all that says what happened. */
function parts(error: Error, depth: number): LogFields {
  if (!("errors" in error) || !Array.isArray(error.errors) || depth >= 4) return {};
  const found = error.errors.filter((one): one is Error => one instanceof Error).slice(0, 3);
  // Their stacks are the one above; without them a line stays readable.
  return { errors: found.map((one) => ({ ...describeError(one, depth + 1), stack: undefined })) };
}
