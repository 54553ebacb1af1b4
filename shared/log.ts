/**
 * One JSON line per call on standard output. Fields are ids and numbers, never titles, payloads or tokens.
 * `error` is written as its name, message, code and stack, with its causes below it.
 */
export type Log = Readonly<{
  debug: (event: string, fields?: Fields) => void;
  info: (event: string, fields?: Fields) => void;
  warn: (event: string, fields?: Fields) => void;
  error: (event: string, fields?: Fields) => void;
  /** The same log with fields added to every line. */
  with: (fields: Fields) => Log;
}>;

export type Fields = Readonly<Record<string, unknown>>;

const levels = ["debug", "info", "warn", "error"] as const;
export type Level = (typeof levels)[number];

/** Writes lines at `level` and above through `write`, which gets one line without its newline. */
export function makeLog(
  fields: Fields,
  level: Level = "info",
  write: (line: string) => void = (line) => void process.stdout.write(`${line}\n`),
): Log {
  const at = (lineLevel: Level) =>
    levels.indexOf(lineLevel) < levels.indexOf(level)
      ? () => {}
      : (event: string, more?: Fields) =>
          write(
            JSON.stringify({ time: new Date().toISOString(), level: lineLevel, ...fields, event, ...more }, replace),
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

function describeError(error: Error, depth: number): Fields {
  const code = "code" in error ? { code: error.code } : {};
  const cause = error.cause instanceof Error && depth < 4 ? { cause: describeError(error.cause, depth + 1) } : {};
  return { name: error.name, message: error.message, ...code, stack: error.stack?.slice(0, 4096), ...cause };
}
