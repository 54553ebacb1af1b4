import { describe, expect, test } from "bun:test";
import type { TaskEvent } from "../../../shared/tasks/task-event.ts";
import type { Exception } from "../../../workers/recurring-task-worker/exception.ts";
import { advanceSeries } from "../../../workers/recurring-task-worker/advance-series.ts";
import {
  decideException,
  maxExceptions,
  type OccurrenceChange,
} from "../../../workers/recurring-task-worker/decide-exception.ts";
import { templateSchedule } from "../../../workers/recurring-task-worker/template-schedule.ts";
import {
  at,
  completed,
  created,
  daily,
  deleted,
  fri,
  hear,
  occurrence,
  template,
  thu,
  tue,
  wed,
} from "./series-world.ts";

/** Hears events, with exceptions known from the start. */
function hearWith(pattern: object, exceptions: readonly Exception[]) {
  const begun = hear().events(created(1, "11-23T10:00", pattern));
  const series = { ...begun.series(), exceptions: new Map(exceptions.map((each) => [each.recurrenceId, each])) };
  return hear({ ...begun.world(), series: new Map([[template, series]]) });
}
const skip = (recurrenceId: string): Exception => ({ recurrenceId, at: new Date(`${recurrenceId}Z`), kind: "skipped" });
const move = (recurrenceId: string, to: string): Exception => ({
  recurrenceId,
  at: new Date(`${recurrenceId}Z`),
  kind: "moved",
  due: { date: at(to), on: null },
});

describe("what is skipped or moved", () => {
  test.each<[string, object, readonly Exception[], string, readonly string[]]>([
    ["two skipped in a row are passed over", daily, [skip(wed), skip(thu)], "11-24T09:30", [fri]],
    ["a moved one comes in its turn", daily, [move(wed, "11-26T18:00")], "11-24T08:00", [wed]],
    [
      "the last of a COUNT skipped ends the series",
      { ...daily, rrule: "FREQ=DAILY;COUNT=2" },
      [skip(wed)],
      "11-24T08:00",
      [],
    ],
  ])("%s", (_title, pattern, exceptions, done, expected) => {
    const heard = hearWith(pattern, exceptions).events(completed(2, done, occurrence(tue)));
    expect(heard.asked()).toEqual([...expected]);
  });

  test("of the missed ones the latest that was not skipped is made", () => {
    const heard = hearWith({ ...daily, max_open: 2 }, [skip("2026-11-30T09:00:00"), skip("2026-11-29T09:00:00")]);
    expect(heard.pass("11-30T12:00").asked()).toEqual(["2026-11-28T09:00:00"]);
  });

  test("moved to earlier, those after it may come earlier", () => {
    const heard = hearWith({ ...daily, max_open: 3 }, [move(wed, "11-24T12:00")]).pass("11-24T09:00");
    expect(heard.asked()).toEqual([wed]);
    expect(heard.series().wakeAt).toEqual(at("11-24T12:00"));
  });
});

describe("deciding a change of one recurrence", () => {
  const begun = hear().events(created(1, "11-23T10:00", daily));
  const decide = (
    recurrenceId: string,
    change: OccurrenceChange,
    { from = begun, exceptions = [] }: { from?: ReturnType<typeof hear>; exceptions?: readonly Exception[] } = {},
  ) => {
    const series = { ...from.series(), exceptions: new Map(exceptions.map((each) => [each.recurrenceId, each])) };
    const schedule = templateSchedule(from.world().tasks.get(template) ?? null);
    return decideException(series, schedule, {
      recurrenceId,
      change,
      now: at("11-23T12:00"),
      tasks: from.world().tasks,
    });
  };
  const later = { wants: "move", due: { date: at("11-25T18:00"), on: null } } as const;

  test.each<[string, OccurrenceChange, readonly Exception[], Exception | null, string | null]>([
    ["skip", { wants: "skip" }, [], skip(wed), null],
    ["skip what is moved", { wants: "skip" }, [move(wed, "11-25T18:00")], skip(wed), null],
    ["un-skip", { wants: "unskip" }, [skip(wed)], null, null],
    [
      "un-skip what is moved changes nothing",
      { wants: "unskip" },
      [move(wed, "11-25T18:00")],
      move(wed, "11-25T18:00"),
      null,
    ],
    ["move", later, [], move(wed, "11-25T18:00"), null],
    ["move what is skipped", later, [skip(wed)], move(wed, "11-25T18:00"), null],
    [
      "move to the rule's own due",
      { wants: "move", due: { date: at("11-25T09:00"), on: null } },
      [move(wed, "11-25T18:00")],
      null,
      null,
    ],
    ["complete", { wants: "complete" }, [], null, wed],
    ["complete what is skipped", { wants: "complete" }, [skip(wed)], null, wed],
    ["complete what is moved", { wants: "complete" }, [move(wed, "11-25T18:00")], move(wed, "11-25T18:00"), wed],
  ])("%s", (_title, change, exceptions, expected, asked) => {
    const { exception, ask } = decide(wed, change, { exceptions });
    expect(exception).toEqual(expected);
    expect(ask?.recurrenceId ?? null).toBe(asked);
    if (ask !== null) expect(ask).toMatchObject({ state: "completed", ahead: true, closedAt: at("11-23T12:00") });
  });

  const made = hear()
    .events(created(1, "11-23T10:00", daily), completed(2, "11-23T10:30", occurrence(tue)))
    .world();
  const withDue = (due_date: Date) => created(1, "11-23T10:30", null, { due_date }, occurrence(wed));
  const to = (due: string) => ({ wants: "move", due: { date: at(due), on: null } }) as const;
  test.each<[string, string, OccurrenceChange, readonly TaskEvent[], readonly Exception[], boolean]>([
    ["un-skipped, and made for that", wed, { wants: "unskip" }, [], [], true],
    ["moved, and made for that", wed, to("11-25T18:00"), [], [move(wed, "11-25T18:00")], true],
    ["moved to the rule's due", wed, to("11-25T09:00"), [], [], true],
    ["moved elsewhere", wed, to("11-25T19:00"), [], [move(wed, "11-25T18:00")], false],
    ["moved to where its task is not any more", wed, to("11-25T09:00"), [withDue(at("11-25T20:00"))], [], false],
    ["moved to where its task is", wed, to("11-25T20:00"), [withDue(at("11-25T20:00"))], [], true],
    ["completed", tue, { wants: "complete" }, [], [], true],
    [
      "un-skipped where its task was deleted",
      wed,
      { wants: "unskip" },
      [deleted(2, "11-23T11:00", occurrence(wed))],
      [],
      false,
    ],
  ])("one that has a task, %s: is so already or is refused", (_title, id, change, events, exceptions, isSo) => {
    const ask = () => decide(id, change, { from: hear(made).events(...events), exceptions });
    if (isSo) expect(ask()).toEqual({ exception: exceptions[0] ?? null, ask: null });
    else expect(ask).toThrow(expect.objectContaining({ code: "OCCURRENCE_MADE" }));
  });

  test("one the series has gone past is made at once, unless its due has passed", () => {
    const missed = decide("2026-11-19T09:00:00", later, {
      from: hear().events(created(1, "11-23T10:00", { ...daily, start: "2026-11-18T09:00" })),
    });
    expect(missed.ask).toMatchObject({
      recurrenceId: "2026-11-19T09:00:00",
      duePassesAt: at("11-25T18:00"),
      ahead: true,
    });
    const skipped = [skip("2026-11-18T09:00:00")];
    const from = hear().events(created(1, "11-23T10:00", { ...daily, start: "2026-11-18T09:00" }));
    expect(decide("2026-11-18T09:00:00", { wants: "unskip" }, { from, exceptions: skipped })).toEqual({
      exception: null,
      ask: null,
    });
  });

  test("no more than so many are kept in view", () => {
    const exceptions = Array.from({ length: maxExceptions }, (_, n) => skip(`${2027 + n}-01-01T09:00:00`));
    expect(() => decide(wed, { wants: "skip" }, { exceptions })).toThrow("skipped or moved already");
  });

  test("the decision carried out asks for nothing more", () => {
    const { ask } = decide(thu, { wants: "complete" });
    if (ask === null) throw new Error("nothing was asked");
    const series = { ...begun.series(), occurrences: [...begun.series().occurrences, ask] };
    const again = advanceSeries({ series, tasks: begun.world().tasks, at: at("11-23T12:00"), by: "timer" });
    expect(again.messages).toEqual([]);
    expect(again.series.wakeAt).toEqual(series.wakeAt);
  });
});
