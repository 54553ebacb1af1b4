import type { FilterTree } from "./filter-tree.ts";

/** A filter in English, as it was understood: `overdue, or due today and (priority High or tagged "home")`. */
export function filterWords(tree: FilterTree): string {
  switch (tree.is) {
    case "and":
    case "or":
      return tree.parts.map((part) => nested(part, tree.is)).join(` ${tree.is} `);
    case "not":
      return negated(tree.part);
    case "time":
      return `${tree.time} ${tree.words}`;
    case "undated":
      return "without a due date";
    case "all-day":
      return "due on a day without a time";
    case "priority":
      return tree.priority === null ? "without a priority" : `priority ${tree.priority}`;
    case "tag":
      return `tagged "${tree.tag}"`;
    case "untagged":
      return "without tags";
    case "status":
      return tree.status;
    case "text":
      return `with the words "${tree.text}"`;
    default:
      return tree.is;
  }
}

function negated(part: FilterTree): string {
  if (part.is === "undated") return "with a due date";
  if (part.is === "untagged") return "with tags";
  return `not ${nested(part, "not")}`;
}

/** In parentheses where it would read as something else without them. */
function nested(part: FilterTree, within: "and" | "or" | "not"): string {
  const isLoose = part.is === "or" ? within !== "or" : part.is === "and" && within === "not";
  return isLoose ? `(${filterWords(part)})` : filterWords(part);
}
