import { element } from "../../../shared/page/element.ts";
import type { ChangeScope, TaskFields } from "./api.ts";
import { askFirstDue, askLaterDue, dueFields, dueOf, localOf } from "./due-fields.ts";
import { button, choice, labelled } from "./fields.ts";
import { patchOf } from "./patch-of.ts";
import { plainControls, readControls, showControls } from "./plain-controls.ts";
import { readRepeat } from "./read-repeat.ts";
import { repeatFields } from "./repeat-fields.ts";
import { repeatPattern } from "./repeat-rule.ts";
import { zoneHere } from "./repeat-words.ts";
import { keepsTimes } from "./keeps-times.ts";
import { isOutdated } from "./request.ts";
import type { Task } from "./shapes.ts";
import { checkTitle } from "./title-field.ts";

type EditorDeps = Readonly<{
  usual: readonly string[];
  /** The repeating task it is an occurrence of, where it is known. */
  template: Task | null;
  /** Sends the change, meant for this version of the task. */
  save: (task: Task, patch: Partial<TaskFields>, scope: ChangeScope) => Promise<Task>;
  /** Asks first; the task as it is then, `null` where nothing was done. */
  stopAfter: (task: Task) => Promise<Task | null>;
  /** Takes the editor away; what was typed in it and is not saved may be asked for again. */
  close: (hasUnsaved: boolean) => void;
  /** The sentence for what went wrong; `null` where it is told elsewhere. */
  explain: (error: unknown) => string | null;
}>;

export type TaskEditor = Readonly<{ root: HTMLLIElement; hasUnsaved: () => boolean }>;

const savedNotAll = "Saved. What you changed meanwhile is not saved yet: save again, or cancel.";
const outdated =
  "This task was changed elsewhere meanwhile. Save again to write what you changed here over it, or cancel to see it as it is now.";

/**
 * The row of a task while it is edited. Only what was changed here is sent, and only for the version it was read at;
 * when that is not the newest any more, the person is told, and what they typed stays.
 */
export function taskEditor(task: Task, deps: EditorDeps): TaskEditor {
  // What a change is compared with, and the version it is meant for.
  let [opened, base] = [task, task];
  const pattern = typeof task.recurrence_pattern === "object" ? task.recurrence_pattern : null;
  const repeats = task.is_recurring_template && pattern ? readRepeat(pattern) : null;
  const isOccurrence = task.template_id !== null;
  const title = element("input", { name: "title", required: true, autocomplete: "off" });
  const [due, controls, repeat] = [dueFields(), plainControls(), repeatFields()];
  const { remind, ...others } = controls;
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
  title.addEventListener("input", () => checkTitle(title));
  due.show(repeats ? start : localOf(task));
  showControls(controls, task);
  remind.tellUsual(deps.usual);
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
    const rest = { title: title.value.trim(), ...readControls(controls) };
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
    ...Object.values(others).map(({ root }) => root),
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
  const changed = () => patchOf(opened, read());
  const hasUnsaved = () => Object.keys(changed()).length > 0;
  const say = (text: string | null) => {
    problem.textContent = text;
    problem.hidden = problem.textContent === "";
  };
  const run = async (work: () => Promise<void>) => {
    say("");
    for (const each of form.querySelectorAll("button")) each.disabled = true;
    try {
      await work();
    } catch (error) {
      if (isOutdated(error)) base = (error.current as Task | undefined) ?? base; // A 412 brings the task as it is.
      say(isOutdated(error) ? outdated : deps.explain(error));
    } finally {
      for (const each of form.querySelectorAll("button")) each.disabled = false;
    }
  };
  const save = async () => {
    if (!hasUnsaved()) return deps.close(false);
    const sent = JSON.stringify(read());
    // The options of the choice are the scopes.
    const answer = await deps.save(base, changed(), scope.value as ChangeScope);
    // The fields stay free while they are saved.
    if (JSON.stringify(read()) === sent) return deps.close(false);
    // Split off, the answer is another task, with a row of its own.
    if (answer.id !== task.id) return deps.close(true);
    [opened, base] = [answer, answer];
    say(savedNotAll);
  };
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    void run(save);
  });
  form.addEventListener("keydown", (event) => {
    // A request on its way is not stopped by leaving.
    if (event.key === "Escape" && !cancel.disabled) deps.close(hasUnsaved());
  });
  cancel.addEventListener("click", () => deps.close(hasUnsaved()));
  stop.addEventListener(
    "click",
    () =>
      void run(async () => {
        const answer = await deps.stopAfter(base);
        if (answer === null) return;
        base = answer;
        if (!hasUnsaved()) deps.close(false);
      }),
  );
  return { root: element("li", { class: "card task editing", "data-task": task.id }, form), hasUnsaved };
}
