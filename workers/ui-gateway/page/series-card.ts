import { element } from "../../../shared/page/element.ts";
import { busy } from "./busy.ts";
import { dateInWords } from "./due-words.ts";
import { button } from "./fields.ts";
import { remindersInWords } from "./remind-words.ts";
import { repeatInWords } from "./repeat-words.ts";
import { historyInWords, shownDates } from "./series-dates.ts";
import type { SeriesDetails } from "./series-reader.ts";
import type { Occurrence, Task } from "./shapes.ts";

export type SeriesActions = Readonly<{
  skip: (details: SeriesDetails, occurrence: Occurrence) => Promise<void>;
  unskip: (details: SeriesDetails, occurrence: Occurrence) => Promise<void>;
  /** Done ahead of its turn: it becomes a task that is completed. */
  complete: (details: SeriesDetails, occurrence: Occurrence) => Promise<void>;
  /** Asks for another due. */
  move: (details: SeriesDetails, occurrence: Occurrence) => Promise<void>;
  edit: (task: Task) => void;
  remove: (task: Task) => Promise<void>;
}>;

const tags: Partial<Record<Occurrence["state"], string>> = {
  open: "open",
  completed: "done",
  deleted: "skipped",
  skipped: "skipped",
  expected: "if done in time",
};

/** A repeating task with its rule in words, its next dates, each of which can be skipped, and what became of the past ones. */
export function seriesCard(
  task: Task,
  details: SeriesDetails | null,
  { now, actions }: Readonly<{ now: Date; actions: SeriesActions }>,
): HTMLLIElement {
  const titleId = `title-${task.id}`;
  const edit = button("Edit", { class: "quiet", "aria-label": `Edit ${task.title}`, "data-focus": `edit ${task.id}` });
  const stop = button("Stop", { class: "quiet", "aria-label": `Stop ${task.title}`, "data-focus": `stop ${task.id}` });
  edit.addEventListener("click", () => actions.edit(task));
  stop.addEventListener("click", () => void busy([edit, stop], () => actions.remove(task)));
  const history = details?.history ? historyInWords(details.history) : "";
  const facts = [
    `Repeats ${repeatInWords(task.recurrence_pattern)}`,
    ...(task.remind === null ? [] : [`Reminders: ${remindersInWords(task.remind)}`]),
    ...(history ? [history] : []),
  ];
  return element(
    "li",
    { class: "card series", "data-task": task.id },
    element(
      "div",
      { class: "task" },
      element(
        "div",
        { class: "what" },
        element("p", { class: "title", id: titleId }, task.title),
        element("p", { class: "facts" }, ...facts.map((fact) => element("span", {}, fact))),
      ),
      edit,
      stop,
    ),
    dates(task, details, { now, actions }),
  );
}

function dates(
  task: Task,
  details: SeriesDetails | null,
  of: Readonly<{ now: Date; actions: SeriesActions }>,
): HTMLElement {
  if (!details?.occurrences) return element("p", { class: "facts" }, "Working out the next dates…");
  const shown = shownDates(details.occurrences);
  if (shown.length === 0)
    return element(
      "p",
      { class: "facts" },
      details.series.status === "ended" ? "It has ended." : "No date is to come.",
    );
  return element(
    "ol",
    { class: "dates", "aria-label": `Next dates of ${task.title}` },
    ...shown.map((occurrence) => dateRow(task, { details, occurrence, ...of })),
  );
}

function dateRow(
  task: Task,
  {
    details,
    occurrence,
    now,
    actions,
  }: Readonly<{ details: SeriesDetails; occurrence: Occurrence; now: Date; actions: SeriesActions }>,
): HTMLLIElement {
  const { state } = occurrence;
  const words = dateInWords(occurrence, now);
  const isSkipped = state === "skipped" || state === "deleted";
  const told = [tags[state], occurrence.moved && !isSkipped ? "moved" : undefined].filter((tag) => tag !== undefined);
  // What takes a button's place gets its focus: skipping and its undoing are of one kind.
  const act = (kind: "done" | "move" | "skip", text: string, label: string, work: SeriesActions["skip"]) => {
    const made = button(text, {
      class: "quiet",
      "aria-label": `${label} ${words}`,
      "data-focus": `${kind} ${task.id} ${occurrence.recurrence_id}`,
    });
    made.addEventListener("click", () => void busy([made], () => work(details, occurrence)));
    return made;
  };
  return element(
    "li",
    {},
    element(isSkipped ? "s" : "span", {}, words),
    ...told.map((tag) => element("span", { class: "tag" }, tag)),
    ...(state === "upcoming" ? [act("done", "Done", "Done already:", actions.complete)] : []),
    ...(state === "upcoming" ? [act("move", "Move", "Move", actions.move)] : []),
    ...(state === "upcoming" || state === "open" ? [act("skip", "Skip", "Skip", actions.skip)] : []),
    ...(state === "skipped" ? [act("skip", "Undo", "Undo skipping", actions.unskip)] : []),
  );
}
