import { element } from "../../../shared/page/element.ts";
import { busy } from "./busy.ts";
import { dateInWords } from "./due-words.ts";
import { button } from "./fields.ts";
import { keyedRows } from "./keyed-rows.ts";
import { remindersInWords } from "./remind-words.ts";
import { repeatInWords } from "./repeat-words.ts";
import { historyInWords, shownDates } from "./series-dates.ts";
import type { SeriesDetails } from "./series-reader.ts";
import type { OccurrenceJson, Task } from "./shapes.ts";

export type SeriesActions = Readonly<{
  skip: (details: SeriesDetails, occurrence: OccurrenceJson) => Promise<void>;
  unskip: (details: SeriesDetails, occurrence: OccurrenceJson) => Promise<void>;
  /** Done ahead of its turn: it becomes a task that is completed. */
  complete: (details: SeriesDetails, occurrence: OccurrenceJson) => Promise<void>;
  /** Asks for another due. */
  move: (details: SeriesDetails, occurrence: OccurrenceJson) => Promise<void>;
  edit: (task: Task) => void;
  remove: (task: Task) => Promise<void>;
}>;

const tags: Partial<Record<OccurrenceJson["state"], string>> = {
  open: "open",
  completed: "done",
  deleted: "skipped",
  skipped: "skipped",
  expected: "if done in time",
};

export type SeriesCard = Readonly<{
  root: HTMLLIElement;
  /** Shows the series as it is now. A date is made again only when it has changed. */
  show: (task: Task, details: SeriesDetails | null, now: Date) => void;
}>;

/**
 * A repeating task with its rule in words, its next dates, each of which can be skipped, and what became of the past
 * ones.
 */
export function seriesCard(first: Task, actions: SeriesActions): SeriesCard {
  let task = first;
  let details: SeriesDetails | null = null;
  const { id } = first;
  const titleId = `title-${id}`;
  const edit = button("Edit", { class: "quiet", "data-focus": `edit ${id}` });
  const stop = button("Stop", { class: "quiet", "data-focus": `stop ${id}` });
  edit.addEventListener("click", () => actions.edit(task));
  stop.addEventListener("click", () => void busy([edit, stop], () => actions.remove(task)));
  const title = element("p", { class: "title", id: titleId, dir: "auto" });
  const facts = element("p", { class: "facts" });
  const none = element("p", { class: "facts" });
  const dates = element("ol", { class: "dates" });
  const showDates = keyedRows(dates);
  const root = element(
    "li",
    { class: "card series", "data-task": id },
    element("div", { class: "task" }, element("div", { class: "what" }, title, facts), edit, stop),
    none,
    dates,
  );
  const row = (occurrence: OccurrenceJson, words: string) =>
    dateRow(occurrence, { words, key: `${id} ${occurrence.recurrence_id}` }, (work) => async () => {
      // The newest there is: its version is what the change is meant for.
      if (details !== null) await work(actions)(details, occurrence);
    });
  return {
    root,
    show: (shown, known, now) => {
      [task, details] = [shown, known];
      setText(title, task.title);
      edit.setAttribute("aria-label", `Edit ${task.title}`);
      stop.setAttribute("aria-label", `Stop ${task.title}`);
      dates.setAttribute("aria-label", `Next dates of ${task.title}`);
      const words = factsOf(task, details);
      if (words.join() !== [...facts.children].map(({ textContent }) => textContent).join())
        facts.replaceChildren(...words.map((fact) => element("span", {}, fact)));
      const coming = details?.occurrences ? shownDates(details.occurrences) : [];
      setText(none, nothingToCome(details));
      none.hidden = coming.length > 0;
      dates.hidden = coming.length === 0;
      showDates(
        coming.map((occurrence) => {
          const said = dateInWords(occurrence, now);
          const shows = JSON.stringify([said, occurrence]);
          return { key: occurrence.recurrence_id, shows, make: () => row(occurrence, said) };
        }),
      );
    },
  };
}

function setText(shown: HTMLElement, text: string): void {
  if (shown.textContent !== text) shown.textContent = text;
}

function factsOf({ recurrence_pattern, remind }: Task, details: SeriesDetails | null): readonly string[] {
  const history = details?.history ? historyInWords(details.history) : "";
  return [
    `Repeats ${repeatInWords(recurrence_pattern)}`,
    ...(remind === null ? [] : [`Reminders: ${remindersInWords(remind)}`]),
    ...(history ? [history] : []),
  ];
}

function nothingToCome(details: SeriesDetails | null): string {
  if (!details?.occurrences) return "Working out the next dates…";
  return details.series.status === "ended" ? "It has ended." : "No date is to come.";
}

type DateWork = (details: SeriesDetails, occurrence: OccurrenceJson) => Promise<void>;

function dateRow(
  { state, moved }: OccurrenceJson,
  { words, key }: Readonly<{ words: string; key: string }>,
  run: (work: (actions: SeriesActions) => DateWork) => () => Promise<void>,
): HTMLLIElement {
  const isSkipped = state === "skipped" || state === "deleted";
  const told = [tags[state], moved && !isSkipped ? "moved" : undefined].filter((tag) => tag !== undefined);
  // What takes a button's place gets its focus: skipping and its undoing are of one kind.
  const act = (kind: "done" | "move" | "skip", text: string, label: string, work: (of: SeriesActions) => DateWork) => {
    const made = button(text, { class: "quiet", "aria-label": `${label} ${words}`, "data-focus": `${kind} ${key}` });
    made.addEventListener("click", () => void busy([made], run(work)));
    return made;
  };
  return element(
    "li",
    {},
    element(isSkipped ? "s" : "span", {}, words),
    ...told.map((tag) => element("span", { class: "tag" }, tag)),
    ...(state === "upcoming" ? [act("done", "Done", "Done already:", ({ complete }) => complete)] : []),
    ...(state === "upcoming" ? [act("move", "Move", "Move", ({ move }) => move)] : []),
    ...(state === "upcoming" || state === "open" ? [act("skip", "Skip", "Skip", ({ skip }) => skip)] : []),
    ...(state === "skipped" ? [act("skip", "Undo", "Undo skipping", ({ unskip }) => unskip)] : []),
  );
}
