import type { Priority } from "../../../shared/messages/records.ts";
import type { Span } from "./due-range.ts";

/** A time of a task that a filter asks for. */
export type FilterTime = "due" | "created" | "updated" | "completed";

/**
 * What a filter means. Days are already found on the calendar of the one who asks. `words` are for people: they say the
 * term back.
 */
export type FilterTree =
  | Readonly<{ is: "and" | "or"; parts: readonly FilterTree[] }>
  | Readonly<{ is: "not"; part: FilterTree }>
  | Readonly<{ is: "time"; time: FilterTime; span: Span; words: string }>
  | Readonly<{ is: "overdue" }>
  | Readonly<{ is: "undated" }>
  | Readonly<{ is: "all-day" }>
  | Readonly<{ is: "priority"; priority: Priority | null }>
  | Readonly<{ is: "tag"; tag: string }>
  | Readonly<{ is: "untagged" }>
  | Readonly<{ is: "status"; status: "open" | "completed" }>
  | Readonly<{ is: "recurring" }>
  | Readonly<{ is: "text"; text: string }>;

/** Whether a filter itself says which of open and completed tasks it means. `overdue` are open ones anyway. */
export function saysStatus(tree: FilterTree): boolean {
  switch (tree.is) {
    case "and":
    case "or":
      return tree.parts.some(saysStatus);
    case "not":
      return saysStatus(tree.part);
    case "time":
      return tree.time === "completed";
    default:
      return tree.is === "status";
  }
}
