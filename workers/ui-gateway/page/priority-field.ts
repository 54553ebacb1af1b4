import { choice, labelled } from "./fields.ts";
import type { PriorityJson } from "./shapes.ts";

type PriorityField = Readonly<{
  root: HTMLElement;
  read: () => PriorityJson | null;
  show: (priority: PriorityJson | null) => void;
}>;

/** How urgent a task is; what is high is told in quiet hours too, where a person wants that. */
export function priorityField(): PriorityField {
  const select = choice({ name: "priority" }, [
    ["", "none"],
    ["Low", "low"],
    ["Medium", "medium"],
    ["High", "high"],
  ]);
  return {
    root: labelled("Priority", select),
    read: () => (select.value === "" ? null : (select.value as PriorityJson)), // Its options are these.
    show: (priority) => void (select.value = priority ?? ""),
  };
}
