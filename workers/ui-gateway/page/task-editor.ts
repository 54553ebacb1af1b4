import { element } from "../../../shared/page/element.ts";
import type { Scope, TaskFields } from "./api.ts";
import { askFirstDue, askLaterDue, dueFields, dueOf, localOf } from "./due-fields.ts";
import { button, choice, labelled } from "./fields.ts";
import { patchOf } from "./patch-of.ts";
import { priorityField } from "./priority-field.ts";
import { readRepeat } from "./read-repeat.ts";
import { remindFields } from "./remind-fields.ts";
import { repeatFields } from "./repeat-fields.ts";
import { repeatPattern } from "./repeat-rule.ts";
import { zoneHere } from "./repeat-words.ts";
import { keepsTimes } from "./keeps-times.ts";
import { isOutdated } from "./request.ts";
import type { Task } from "./shapes.ts";

export type EditorDeps = Readonly<{
  usual: readonly string[];
  /** The repeating task it is an occurrence of, where it is known. */
  template: Task | null;
  /** Sends the change, meant for this version of the task. */
  save: (task: Task, patch: Partial<TaskFields>, scope: Scope) => Promise<void>;
  stopAfter: (task: Task) => Promise<void>;
  /** Takes the editor away. */
  close: () => void;
  /** The sentence for what went wrong; `null` where it is told elsewhere. */
  explain: (error: unknown) => string | null;
}>;

const outdated =
  "This task was changed elsewhere meanwhile. Save again to write what you changed here over it, or cancel to see it as it is now.";

/**
 * The row of a task while it is edited. Only what was changed here is sent, and only for the version it was read at; when that is
 * not the newest any more, the person is told, and what they typed stays.
 */
export function taskEditor(task: Task, deps: EditorDeps): HTMLLIElement {
  let base = task;
  const pattern = typeof task.recurrence_pattern === "object" ? task.recurrence_pattern : null;
  const repeats = task.is_recurring_template && pattern ? readRepeat(pattern) : null;
  const isOccurrence = task.template_id !== null;
  const title = element("input", { name: "title", required: true, maxlength: "500", autocomplete: "off" });
  const [due, remind, priority, repeat] = [dueFields(), remindFields(), priorityField(), repeatFields()];
  const scope = choice({ name: "scope" }, [
    ["this", "only this one"],
    ["future", "this and later ones"],
    ["all", "all of them"],
  ]);
  const problem = element("p", { class: "error", role: "alert", hidden: true });
  const cancel = button("Cancel", { class: "quiet" });
  const stop = button("Stop after this", { class: "quiet" });
  const start = typeof pattern?.["start"] === "string" ? pattern["start"] : "";

  title.value = task.title;
  due.show(repeats ? start : localOf(task));
  remind.show(task.remind);
  remind.tellUsual(deps.usual);
  priority.show(task.priority);
  if (repeats) {
    repeat.always();
    repeat.show(repeats);
    due.ask(askFirstDue);
  }
  const ofRule = element(
    "p",
    { class: "small hint", hidden: true },
    "When it is due, its rule says: change that under Repeating.",
  );
  const isOfRule = () =>
    isOccurrence && (scope.value === "all" || (scope.value === "future" && keepsTimes(task, deps.template)));
  const refresh = () => {
    repeat.follow(due.read());
    const isOff = isOfRule();
    // What was typed is not sent then, so it is not shown either.
    if (isOff) due.show(localOf(task));
    // An occurrence may lose its due, those after it may not.
    if (isOccurrence) due.ask(scope.value === "future" && localOf(task) !== "" ? askLaterDue : null);
    due.disable(isOff);
    ofRule.hidden = !isOff;
  };
  due.onChange(refresh);
  repeat.onChange(refresh);
  scope.addEventListener("change", refresh);
  refresh();

  const read = (): Partial<TaskFields> => {
    const rest = { title: title.value.trim(), remind: remind.read(), priority: priority.read() };
    if (!task.is_recurring_template) return isOfRule() ? rest : { ...rest, ...dueOf(due.read()) };
    const tz = typeof pattern?.["tz"] === "string" ? pattern["tz"] : zoneHere();
    const said = repeats ? repeatPattern(repeat.read(), { start: due.read(), tz }) : null;
    return said === null ? rest : { ...rest, recurrence_pattern: { ...pattern, ...said } };
  };
  const form = element(
    "form",
    { class: "row editor", "aria-label": `Edit ${task.title}` },
    element("label", { class: "grow" }, "Title", title),
    ...(task.is_recurring_template && !repeats ? [] : [due.root]),
    remind.root,
    ...(repeats ? [repeat.root] : []),
    priority.root,
    ...(isOccurrence ? [labelled("Change", scope), ofRule] : []),
    ...(repeats ? [repeat.more] : []),
    problem,
    element(
      "div",
      { class: "actions" },
      ...(isOccurrence ? [stop] : []),
      cancel,
      element("button", { type: "submit" }, "Save"),
    ),
  );
  const run = async (work: () => Promise<void>) => {
    problem.hidden = true;
    for (const each of form.querySelectorAll("button")) each.disabled = true;
    try {
      await work();
      deps.close();
    } catch (error) {
      if (isOutdated(error)) base = (error.current as Task | undefined) ?? base; // A 412 brings the task as it is.
      problem.textContent = isOutdated(error) ? outdated : deps.explain(error);
      problem.hidden = problem.textContent === "";
    } finally {
      for (const each of form.querySelectorAll("button")) each.disabled = false;
    }
  };
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    void run(async () => {
      const patch = patchOf(task, read());
      // The options of the choice are the scopes.
      if (Object.keys(patch).length > 0) await deps.save(base, patch, scope.value as Scope);
    });
  });
  form.addEventListener("keydown", (event) => {
    if (event.key === "Escape") deps.close();
  });
  cancel.addEventListener("click", deps.close);
  stop.addEventListener("click", () => void run(() => deps.stopAfter(base)));
  return element("li", { class: "card task editing", "data-task": task.id }, form);
}
