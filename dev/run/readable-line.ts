/**
 * A role's JSON log line as people read it: time of day, level, event, then the other fields. The role's name, already
 * in the prefix, is left out; an error's stack follows on lines of its own. Every other line comes back as it is.
 */
export function readableLine(line: string): string {
  if (!line.startsWith('{"time":')) return line;
  let entry: Record<string, unknown>;
  try {
    entry = JSON.parse(line) as Record<string, unknown>;
  } catch {
    return line; // cut off by a crash
  }
  const { time, level, role: _role, instance: _instance, event, error, ...fields } = entry;
  const clock = String(time).slice(11, 23);
  const rest = Object.entries(fields).map(
    ([name, value]) => `${name}=${typeof value === "string" ? value : JSON.stringify(value)}`,
  );
  const failure = error === undefined ? "" : describe(error);
  return [clock, String(level).padEnd(5), event, ...rest].join(" ") + failure;
}

/** The stack of an error and of its causes, each on lines of its own. */
function describe(error: unknown): string {
  if (typeof error !== "object" || error === null) return ` error=${String(error)}`;
  const { name, message, stack, cause } = error as Record<string, unknown>;
  const own = typeof stack === "string" ? stack : `${String(name ?? "Error")}: ${String(message)}`;
  return `\n${own}${cause === undefined ? "" : `\ncaused by:${describe(cause)}`}`;
}
