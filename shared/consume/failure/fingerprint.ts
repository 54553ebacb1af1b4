import { hexText } from "../../bytes.ts";
import { digestOf } from "../../digest.ts";

/**
 * 16 hex digits that are the same for the same kind of failure, whichever message met it: made of the class, the
 * error's name and code, its message without what varies (ids, numbers, quoted text) and the functions on its stack
 * without their lines.
 */
export function fingerprint(failureClass: string, error: unknown): string {
  const parts =
    error instanceof Error
      ? [error.name, codeOf(error), shape(error.message), ...frames(error)]
      : [shape(String(error))];
  return hexText(digestOf("sha256", [failureClass, ...parts].join("\n"))).slice(0, 16);
}

function codeOf(error: Error): string {
  return "code" in error && typeof error.code === "string" ? error.code : "";
}

function shape(message: string): string {
  return message
    .replace(/[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}/gi, "<id>")
    .replace(/"[^"]*"|'[^']*'/g, "<text>")
    .replace(/\d+/g, "<n>")
    .slice(0, 200);
}

/**
 * File and function of the first three frames in our own code: library internals and line numbers change between
 * builds.
 */
function frames(error: Error): readonly string[] {
  return (error.stack ?? "")
    .split("\n")
    .filter((line) => /^\s+at /.test(line) && !line.includes("node_modules") && !line.includes("node:"))
    .slice(0, 3)
    .map((line) =>
      line
        .trim()
        .replace(/:\d+/g, "")
        .replace(/\(?\/\S*\/(?=[^/\s]+\)?$)/, "("),
    );
}
