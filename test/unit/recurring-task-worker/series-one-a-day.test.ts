import { expect, test } from "bun:test";
import * as fc from "../../support/fast-check.ts";
import type { CreateOccurrence, RemoveOccurrence } from "../../../shared/messages/records.ts";
import { plainId } from "../../../shared/recurrence/find-recurrence.ts";
import type { TaskEvent } from "../../../shared/tasks/task-event.ts";
import { newTask, taskPatch } from "../../../shared/tasks/task-input.ts";
import type { Message } from "../../../shared/messages/message.ts";
import { Problem } from "../../../shared/problem.ts";
import { advanceSeries } from "../../../workers/recurring-task-worker/advance-series.ts";
import type { SeriesMessage } from "../../../workers/recurring-task-worker/series.ts";
import { decideException } from "../../../workers/recurring-task-worker/decide-exception.ts";
import { foldSeries, type World } from "../../../workers/recurring-task-worker/fold-series.ts";
import { templateSchedule } from "../../../workers/recurring-task-worker/template-schedule.ts";
import { makeRecurrences } from "../../../shared/recurrence/recurrence.ts";
import { decideOccurrence, decideRemoval } from "../../../workers/task-service/decide-occurrence.ts";
import { decideScopedDelete, decideScopedPatch, type SeriesScope } from "../../../workers/task-service/decide-scope.ts";
import {
  decideComplete,
  decideCreate,
  decideDelete,
  decidePatch,
  decideReopen,
  taskCreated,
} from "../../../workers/task-service/decide-task.ts";
import { decideSeriesRestore, type RestoreScope } from "../../../workers/task-service/restore/decide-restore.ts";
import { decideTemplatePatch } from "../../../workers/task-service/decide-template.ts";
import { placeOf, type SeriesRows, type RowWithEvent } from "../../../workers/task-service/series-rows.ts";
import type { TaskRow } from "../../../workers/task-service/task-row.ts";

// Task service and recurring task worker together, without Kafka and Postgres: what one tells the other is heard late,
// of different tasks in any order, and people change the series meanwhile.

const userId = "0193a0b0-0000-7000-8000-0000000000aa";
const begun = Date.parse("2026-06-01T12:00:00Z");
const hourMs = 3_600_000;
const uuid = (n: number) => `0193a0b0-0000-7000-8000-${String(n).padStart(12, "0")}`;

function openSystem() {
  let now = new Date(begun);
  let made = 1;
  const rows = new Map<string, TaskRow>();
  let worker: World = { tasks: new Map(), series: new Map() };
  /** What is on its way, by what is delivered in order: the events of a task, the commands of a template. */
  const lines = new Map<string, (() => void)[]>();
  const send = (line: string, deliver: () => void) => lines.set(line, [...(lines.get(line) ?? []), deliver]);

  const tell = (message: Message) => {
    const event = message as unknown as TaskEvent; // of task-service, whose events these are
    send(`event ${event.subject}`, () => {
      const { world, answers } = foldSeries([event], { ...worker, tasks: tasksWith(event.subject) });
      worker = world;
      command(answers.flat());
    });
  };
  const tasksWith = (id: string) => (worker.tasks.has(id) ? worker.tasks : new Map(worker.tasks).set(id, null));
  const write = (writes: readonly RowWithEvent[]) => {
    for (const { row, event } of writes) {
      rows.set(row.id, row);
      tell(event);
    }
  };
  const command = (messages: readonly SeriesMessage[]) => {
    for (const message of messages)
      if (message.type === "CreateOccurrence") send(`command ${message.key}`, () => create(message.data));
      else if (message.type === "RemoveOccurrence") send(`command ${message.key}`, () => remove(message.data));
  };
  const create = (data: CreateOccurrence) => {
    if (rows.has(data.occurrence_id)) return;
    const decided = decideOccurrence(rows.get(data.template_id) ?? null, data, now);
    if (typeof decided === "string") return;
    rows.set(decided.row.id, decided.row);
    for (const event of decided.events) tell(event);
  };
  const remove = (data: RemoveOccurrence) => {
    const decided = decideRemoval(rows.get(data.occurrence_id) ?? null, data, now);
    if (typeof decided === "string") return;
    rows.set(decided.row.id, decided.row);
    for (const event of decided.events) tell(event);
  };
  const occurrencesOf = (template: string) => [...rows.values()].filter((row) => row.template_id === template);
  const isOpen = ({ status, deleted_at }: TaskRow) => status === "open" && deleted_at === null;
  const seriesRows = (template: TaskRow, target: TaskRow): SeriesRows => {
    const all = occurrencesOf(template.id);
    const known = worker.series.get(template.id);
    const isTakenBack = (id: string) => known?.occurrences.find((each) => each.id === id)?.takenBack ?? false;
    const closed = all
      .filter((row) => row.status === "completed" || (row.deleted_at !== null && !isTakenBack(row.id)))
      .map(placeOf);
    const skipped = [...(known?.exceptions.values() ?? [])].flatMap((each) =>
      each.kind === "skipped" ? [each.recurrenceId] : [],
    );
    const after = target.id === template.id ? "9999" : placeOf(target);
    const closedPlaces = [...new Set([...closed, ...skipped])].filter((place) => place > after).sort();
    const at = (row: TaskRow) => row.deleted_at?.getTime();
    const deletedWith = all.filter((row) => at(row) !== undefined && at(row) === at(template));
    const isRival = (row: TaskRow) =>
      row.template_id === template.id
        ? row.deleted_at === null && placeOf(row).slice(0, 10) === placeOf(target).slice(0, 10)
        : row.created_at.getTime() === at(target) && (row.is_recurring_template || row.template_id !== null);
    const others = [...rows.values()].filter((row) => row.id !== target.id);
    const rivals = at(target) === undefined || target.id === template.id ? [] : others.filter(isRival);
    return { template, target, open: all.filter(isOpen), closedPlaces, deletedWith, rivals };
  };
  /** Refusals are answers like others; anything else is a fault. */
  const asking = (work: () => void) => {
    try {
      work();
    } catch (error) {
      if (!(error instanceof Problem) || error.code === "INVARIANT") throw error;
    }
  };
  const pick = <T>(all: readonly T[], n: number): T | null => all[n % Math.max(1, all.length)] ?? null;
  const templates = () => [...rows.values()].filter((row) => row.is_recurring_template);
  const live = () => [...rows.values()].filter((row) => row.template_id !== null && row.deleted_at === null);

  return {
    begin: (pattern: object) => {
      const input = newTask.parse({ title: "a", recurrence_pattern: pattern });
      const row = decideCreate(input, { id: uuid(0), userId, now, zone: "UTC" });
      write([{ row, event: taskCreated(row) }]);
    },
    deliver: (n: number) => {
      const line = pick(
        [...lines].filter(([, waiting]) => waiting.length > 0).map(([name]) => name),
        n,
      );
      if (line === null) return false;
      const [first, ...rest] = lines.get(line) ?? [];
      lines.set(line, rest);
      first?.();
      return true;
    },
    pass: (hours: number) => {
      now = new Date(now.getTime() + hours * hourMs);
      for (const series of worker.series.values()) {
        if (series.wakeAt === null || series.wakeAt > now) continue;
        const advanced = advanceSeries({ series, tasks: worker.tasks, at: now, by: "timer" });
        worker = { ...worker, series: new Map(worker.series).set(series.id, advanced.series) };
        command(advanced.messages);
      }
    },
    tick: () => (now = new Date(now.getTime() + 1000)),
    change: (how: "template" | SeriesScope, pattern: Readonly<{ start: string }>, n: number) =>
      asking(() => {
        // The newest: who gives an ended series another end has two series.
        const newest = templates().at(-1);
        if (newest === undefined || newest.deleted_at !== null) return;
        // On the day it starts on, as a form has it that shows a series: begun earlier, one that was split off has days
        // of the other.
        const day = JSON.parse(newest.recurrence_pattern ?? "{}").start?.slice(0, 10) ?? "";
        const patch = taskPatch.parse({
          recurrence_pattern: { ...pattern, start: `${day}${pattern.start.slice(10)}` },
        });
        const own = live().filter((row) => row.template_id === newest.id);
        const target = how === "template" ? newest : pick(own, n);
        const template = target?.is_recurring_template ? target : rows.get(target?.template_id ?? "");
        if (target === null || template === undefined) return;
        const newId = () => uuid(made++);
        const decide =
          how === "template"
            ? decideTemplatePatch(patch, "UTC")
            : decideScopedPatch(patch, { scope: how, zone: "UTC", newId });
        write(decide(seriesRows(template, target), now).writes);
      }),
    touch: (verb: "complete" | "reopen" | "delete" | "move", n: number) =>
      asking(() => {
        const row = pick(
          live().filter((each) => (verb === "reopen" ? !isOpen(each) : isOpen(each))),
          n,
        );
        if (row === null) return;
        const due_date = new Date((row.due_date ?? now).getTime() + 90 * 60_000);
        const decides = {
          complete: decideComplete,
          reopen: decideReopen,
          delete: decideDelete,
          move: decidePatch({ due_date }, "UTC"),
        };
        const { row: after, event } = decides[verb](row, now);
        if (event !== null) write([{ row: after, event }]);
      }),
    /** The series of a task with all that is open. */
    end: (n: number) =>
      asking(() => {
        const target = pick(live(), n);
        const template = rows.get(target?.template_id ?? "");
        if (target === null || template === undefined) return;
        write(decideScopedDelete("all", "UTC")(seriesRows(template, target), now).writes);
      }),
    restore: (scope: RestoreScope, n: number) =>
      asking(() => {
        const target = pick(
          [...rows.values()].filter((row) => row.deleted_at !== null),
          n,
        );
        const template = target?.is_recurring_template ? target : rows.get(target?.template_id ?? "");
        if (target === null || template === undefined) return;
        write(decideSeriesRestore(scope)(seriesRows(template, target), now).writes);
      }),
    skip: (n: number) =>
      asking(() => {
        const series = pick([...worker.series.values()], n);
        const template = series === null ? null : templateSchedule(worker.tasks.get(series.templateId) ?? null);
        if (series === null || template === null) return;
        const next = makeRecurrences(template.schedule)
          .between(now, new Date(now.getTime() + 96 * hourMs), 3)
          .at(-1);
        if (next === undefined) return;
        const of = { recurrenceId: next.id, change: { wants: "skip" }, now, tasks: worker.tasks } as const;
        const { exception } = decideException(series, template, of);
        if (exception === null) return;
        const exceptions = new Map(series.exceptions).set(next.id, exception);
        worker = { ...worker, series: new Map(worker.series).set(series.id, { ...series, exceptions }) };
      }),
    /** What the worker takes for open and task-service does not have so: a series would wait for it for ever. */
    phantoms: () =>
      [...worker.series.values()].flatMap(({ occurrences, status }) =>
        occurrences.filter(({ id, state }) => {
          const row = rows.get(id);
          return status !== "stopped" && state === "open" && (row === undefined || !isOpen(row));
        }),
      ),
    /** By day, the tasks that are there, of whichever series it is by now. */
    days: () => Map.groupBy(live(), (row) => plainId(row.recurrence_id ?? "").slice(0, 10)),
  };
}

const start = (hour: string) => `2026-06-01${hour}`;
const patterns = fc.record({
  rrule: fc.constantFrom(
    "FREQ=DAILY",
    "FREQ=DAILY;INTERVAL=2",
    "FREQ=WEEKLY;BYDAY=MO,WE,TH,SA",
    "FREQ=WEEKLY;BYDAY=TU,TH",
  ),
  start: fc.constantFrom(
    start(""),
    start("T05:00"),
    start("T09:00"),
    start("T13:00"),
    start("T18:30"),
    start("T23:45"),
  ),
  tz: fc.constantFrom("UTC", "UTC", "Asia/Tokyo", "America/Lima"),
  max_open: fc.constantFrom(1, 1, 3),
  catch_up: fc.constantFrom("latest", "latest", "all", "none"),
});
const n = fc.nat(50);
const steps = fc.oneof(
  { weight: 6, arbitrary: fc.record({ what: fc.constant("deliver" as const), n }) },
  { weight: 2, arbitrary: fc.record({ what: fc.constant("pass" as const), hours: fc.constantFrom(1, 5, 14, 30) }) },
  {
    weight: 2,
    arbitrary: fc.record({
      what: fc.constant("change" as const),
      how: fc.constantFrom("template" as const, "all" as const, "future" as const),
      pattern: patterns,
      n,
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      what: fc.constant("touch" as const),
      verb: fc.constantFrom(
        "complete" as const,
        "complete" as const,
        "reopen" as const,
        "delete" as const,
        "move" as const,
      ),
      n,
    }),
  },
  { weight: 1, arbitrary: fc.record({ what: fc.constant("skip" as const), n }) },
  { weight: 1, arbitrary: fc.record({ what: fc.constant("end" as const), n }) },
  {
    weight: 2,
    arbitrary: fc.record({
      what: fc.constant("restore" as const),
      scope: fc.constantFrom("this" as const, "all" as const),
      n,
    }),
  },
);

type Drawn<A> = A extends fc.Arbitrary<infer T> ? T : never;
/** A date done ahead, then the series split before it, then the pattern of the new one replaced. */
const daily = { rrule: "FREQ=DAILY", start: start(""), tz: "UTC", max_open: 1, catch_up: "latest" } as const;
const doneAheadOfSplit: [Drawn<typeof patterns>, Drawn<typeof steps>[]] = [
  { ...daily, rrule: "FREQ=WEEKLY;BYDAY=MO,WE,TH,SA", start: start("T05:00"), max_open: 3 },
  [
    { what: "change", how: "template", pattern: { ...daily, rrule: "FREQ=WEEKLY;BYDAY=TU,TH", max_open: 3 }, n: 0 },
    { what: "touch", verb: "complete", n: 0 },
    { what: "change", how: "template", pattern: daily, n: 0 },
    { what: "deliver", n: 0 },
    { what: "touch", verb: "complete", n: 0 },
    { what: "change", how: "future", pattern: daily, n: 23 },
    { what: "change", how: "template", pattern: { ...daily, max_open: 3 }, n: 0 },
  ],
];
/** An occurrence asked for before its series was deleted, made after that was restored and changed. */
const askedBeforeDeletion: [Drawn<typeof patterns>, Drawn<typeof steps>[]] = [
  { ...daily, start: start("T09:00") },
  [
    { what: "end", n: 0 },
    { what: "deliver", n: 33 },
    { what: "deliver", n: 0 },
    { what: "restore", scope: "all", n: 0 },
    { what: "deliver", n: 5 },
    { what: "touch", verb: "complete", n: 0 },
    { what: "restore", scope: "this", n: 0 },
    { what: "change", how: "template", pattern: daily, n: 0 },
    { what: "deliver", n: 0 },
    { what: "deliver", n: 0 },
  ],
];

test("however a series is changed, completed, reopened, deleted, restored and skipped, and whatever is heard late, a day has one task at most, and no series waits for one that is not there", () => {
  fc.assert(
    fc.property(patterns, fc.array(steps, { minLength: 4, maxLength: 40 }), (pattern, all) => {
      const system = openSystem();
      const settle = () => {
        while (system.deliver(0));
      };
      system.begin(pattern);
      settle();
      for (const step of all) {
        system.tick();
        if (step.what === "deliver") system.deliver(step.n);
        else if (step.what === "pass") system.pass(step.hours);
        else if (step.what === "change") {
          // A series that nobody has heard of yet begins where its pattern says, however far back.
          if (step.how === "future") settle();
          system.change(step.how, step.pattern, step.n);
          if (step.how === "future") settle();
        } else if (step.what === "touch") system.touch(step.verb, step.n);
        else if (step.what === "end") system.end(step.n);
        else if (step.what === "restore") system.restore(step.scope, step.n);
        else system.skip(step.n);
      }
      settle();
      system.pass(48);
      settle();
      expect(system.phantoms()).toEqual([]);
      const several = [...system.days()].filter(([, tasks]) => tasks.length > 1);
      expect(
        several.map(([day, tasks]) => [day, tasks.map(({ recurrence_id, status }) => `${recurrence_id} ${status}`)]),
      ).toEqual([]);
    }),
    { numRuns: 300, examples: [doneAheadOfSplit, askedBeforeDeletion] },
  );
});
