import type { BatchHandler } from "../../shared/consume/handler.ts";
import type { Tx } from "../../shared/postgres/db.ts";
import { isTaskEvent, type ReceivedTaskEvent } from "../../shared/tasks/task-event.ts";
import { foldSeries, type FoldedSeries, type World } from "./fold-series.ts";
import { saveSeries, saveTasks } from "./save-series.ts";
import { changedExceptions, saveExceptions } from "./store-exceptions.ts";
import { lockSeriesOf, lockTasks, readOccurrencesOf, readTasks, readTemplatesOf } from "./load-series.ts";

/**
 * Follows every task, and asks for the occurrences templates call for. Replay is safe: an event folded before tells
 * nothing new, and an occurrence's id is computed from series and recurrence id, so asking twice would make nothing
 * twice.
 */
export const followTasks: BatchHandler = async (messages, { tx, signal }) => {
  const events = messages.map((message) => (isTaskEvent(message) ? message : null));
  const about = new Map(
    events.flatMap((event) => (event === null ? [] : [[event.subject, { userId: event.data.user_id }]])),
  );
  // The template is locked with its occurrence: two instances may handle their events at once, blind to each other.
  const told = events.flatMap((event) => {
    const id = event?.type === "TaskCreated" ? event.data.template_id : null;
    return event === null || id === null ? [] : [[id, { userId: event.data.user_id }] as const];
  });
  const templates = new Map([...(await readTemplatesOf(tx, [...about.keys()])), ...told]);
  const tasks = await lockTasks(tx, new Map([...templates, ...about]));
  const series = await lockSeriesOf(tx, [...tasks.keys()]);
  const unread = [...series.values()].flatMap(({ templateId, occurrences }) => [
    templateId,
    ...occurrences.flatMap(({ id, state, madeBy }) =>
      about.has(templateId) || (state === "open" && madeBy !== null) ? [id] : [],
    ),
  ]);
  for (const [id, task] of await readTasks(
    tx,
    [...new Set(unread)].filter((id) => !tasks.has(id)),
  ))
    tasks.set(id, task);
  const begun = new Set([...series.values()].map(({ templateId }) => templateId));
  const fresh = events.flatMap((event) => (isTemplate(event) && !begun.has(event.subject) ? [event.subject] : []));
  for (const [id, task] of await readOccurrencesOf(tx, fresh)) if (!tasks.has(id)) tasks.set(id, task);

  const before = { tasks, series };
  const folded = await foldWithKnownOccurrences({ tx, signal }, events, before);
  const { world, answers } = folded;
  await saveTasks(tx, new Map([...world.tasks].filter(([id, task]) => about.has(id) && tasks.get(id) !== task)));
  const changed = [...world.series.values()].filter((one) => series.get(one.id) !== one);
  await saveSeries(tx, changed, series);
  for (const one of changed) {
    const exceptions = changedExceptions(series.get(one.id)?.exceptions ?? one.exceptions, one.exceptions);
    if (exceptions.length > 0) await saveExceptions(tx, one.id, exceptions);
  }
  return answers;
};

/**
 * Folds the events, reads the tasks of the occurrences they call for, and folds again from the start if any of those is
 * known: when tables are rebuilt from the topic, the completion of an occurrence can arrive before the decision to
 * create it.
 */
async function foldWithKnownOccurrences(
  { tx, signal }: Readonly<{ tx: Tx; signal: AbortSignal }>,
  events: readonly (ReceivedTaskEvent | null)[],
  before: World,
): Promise<FoldedSeries> {
  let { tasks } = before;
  for (;;) {
    signal.throwIfAborted();
    const folded = foldSeries(events, { ...before, tasks });
    const asked = folded.answers.flat().map(({ subject }) => subject);
    const unread = asked.filter((id) => !tasks.has(id));
    const known = [...(await readTasks(tx, unread))].filter(([, task]) => task !== null);
    if (known.length === 0) return folded;
    tasks = new Map([...tasks, ...known]);
  }
}

/** Whether an event may begin a series. */
function isTemplate(event: ReceivedTaskEvent | null): event is ReceivedTaskEvent {
  if (event?.type === "TaskCreated") return event.data.is_recurring_template;
  return event?.type === "TaskUpdated" && event.data.updated_fields["is_recurring_template"] === true;
}
