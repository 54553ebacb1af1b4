import { describePattern, type PatternParts } from "../../../shared/recurrence/describe-pattern.ts";
import type { Task } from "./shapes.ts";

/** A pattern in words; its zone is told only where it is not the one of the browser. */
export function repeatInWords(pattern: Task["recurrence_pattern"], here: string = zoneHere()): string {
  if (pattern === null) return "";
  if (typeof pattern === "string") return pattern;
  const { tz, ...rest } = pattern;
  if (typeof rest["rrule"] !== "string") return "";
  // The server has checked it, or the form has made it.
  return describePattern((tz === here ? rest : pattern) as PatternParts);
}

export function zoneHere(): string {
  return Intl.DateTimeFormat().resolvedOptions().timeZone;
}
