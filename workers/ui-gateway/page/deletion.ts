import type { ChangeScope } from "./api.ts";
import type { Task } from "./shapes.ts";
import type { State } from "./store.ts";

/** The tasks that go with a deletion of this reach, as far as they are known here. */
export function reachOf(state: State, task: Task, scope: ChangeScope): readonly string[] {
  if (scope === "this") return [task.id];
  const isReached = (other: Task) =>
    other.id === task.id ||
    (other.template_id === task.template_id &&
      other.status === "open" &&
      (scope === "all" || (other.recurrence_id ?? "") >= (task.recurrence_id ?? "")));
  const known = [...state.values()].map((item) => item.task);
  const series = scope === "all" && task.template_id !== null ? [task.template_id] : [];
  return [...series, ...known.filter(isReached).map(({ id }) => id)];
}

/** "“Water the plants” was deleted.", "“Water the plants” does not repeat any more." */
export function deletionInWords({ title, is_recurring_template }: Task, scope: ChangeScope): string {
  const short = shortened(title);
  if (is_recurring_template) return `“${short}” does not repeat any more.`;
  switch (scope) {
    case "this":
      return `“${short}” was deleted.`;
    case "future":
      return `“${short}” and those after it were deleted.`;
    case "all":
      return `“${short}” was deleted, with all of its series.`;
  }
}

export function doneInWords({ title }: Task): string {
  return `“${shortened(title)}” is done.`;
}

function shortened(title: string): string {
  return title.length > 60 ? `${title.slice(0, 60)}…` : title;
}
