import { describe, expect, test } from "bun:test";
import { mistakesOf } from "../../../shared/http/problem-response.ts";
import { newTask, taskPatch } from "../../../shared/tasks/task-input.ts";

/** The paths of the mistakes in a body; empty when it is taken. */
function mistakes(schema: typeof newTask | typeof taskPatch, body: unknown): readonly string[] {
  const read = schema.safeParse(body);
  return read.success ? [] : mistakesOf(read.error, "body").map(({ path }) => path);
}

describe("a new task", () => {
  test.each<[string, unknown, readonly string[]]>([
    ["a title alone", { title: "a" }, []],
    [
      "nulls where there may be nothing",
      { title: "a", description: null, due_date: null, priority: null, recurrence_pattern: null },
      [],
    ],
    [
      "the longest of all",
      {
        title: "x".repeat(500),
        description: "x".repeat(20_000),
        tags: Array.from({ length: 50 }, (_, n) => `${n}`.padStart(64, "0")),
      },
      [],
    ],
    ["no title", {}, ["/title"]],
    ["a title of spaces", { title: " \n" }, ["/title"]],
    ["a title too long", { title: "x".repeat(501) }, ["/title"]],
    ["a title too long as sent, for spaces that are dropped", { title: `x${" ".repeat(500)}` }, ["/title"]],
    [
      "a tag too long as sent, for letters that are composed",
      { title: "a", tags: ["e\u0301".repeat(33)] },
      ["/tags/0"],
    ],
    ["a title of null", { title: null }, ["/title"]],
    ["a description too long", { title: "a", description: "x".repeat(20_001) }, ["/description"]],
    ["51 tags", { title: "a", tags: Array.from({ length: 51 }, String) }, ["/tags"]],
    [
      "a tag too long, one empty, one a number",
      { title: "a", tags: ["x".repeat(65), "", 7] },
      ["/tags/0", "/tags/1", "/tags/2"],
    ],
    ["another priority", { title: "a", priority: "Urgent" }, ["/priority"]],
    ["a local time that is not", { title: "a", due_date: "2026-02-30T18:00:00" }, ["/due_date"]],
    ["a day for a time", { title: "a", due_date: "2026-12-31" }, ["/due_date"]],
    ["a local time in the year 2200", { title: "a", due_date: "2200-01-01T00:00" }, ["/due_date"]],
    ["a day that is not", { title: "a", due_date: "2026-02-30T18:00:00Z" }, ["/due_date"]],
    ["a number for a time", { title: "a", due_date: 1 }, ["/due_date"]],
    ["the year 0", { title: "a", due_date: "0000-01-01T00:00:00Z" }, ["/due_date"]],
    ["the year 2200", { title: "a", due_date: "2200-01-01T00:00:00Z" }, ["/due_date"]],
    ["unknown fields", { title: "a", colour: "red", "a/b": 1 }, ["/colour", "/a~1b"]],
    ["fields of the service", { title: "a", id: "x", version: 7, status: "open" }, ["/id", "/version", "/status"]],
    [
      "an unknown zone",
      { title: "a", recurrence_pattern: { rrule: "FREQ=DAILY", tz: "Mars/Olympus" } },
      ["/recurrence_pattern/tz"],
    ],
    [
      "an impossible rule",
      { title: "a", recurrence_pattern: { rrule: "FREQ=MONTHLY;BYMONTH=2;BYMONTHDAY=31" } },
      ["/recurrence_pattern/rrule"],
    ],
    ["an unknown preset", { title: "a", recurrence_pattern: "hourly" }, ["/recurrence_pattern"]],
    [
      "all of it wrong",
      { title: 1, due_date: "x", recurrence_pattern: { rrule: 1, x: 1 } },
      ["/title", "/due_date", "/recurrence_pattern/x", "/recurrence_pattern/rrule"],
    ],
    ["no object", [], ["/"]],
  ])("%s", (_name, body, paths) => {
    expect(mistakes(newTask, body)).toEqual(paths);
  });

  test("is read as instants and as labels once each, without spaces around", () => {
    const body = { title: " a ", due_date: "2026-12-31T18:00:00.5+01:00", tags: ["b", " b ", "a"] };
    expect(newTask.parse(body)).toEqual({
      title: "a",
      due_date: new Date("2026-12-31T17:00:00.500Z"),
      tags: ["b", "a"],
    });
  });
});

describe("a patch", () => {
  test.each<[string, unknown, readonly string[]]>([
    ["nothing", {}, []],
    ["clearing", { description: null, due_date: null, priority: null, recurrence_pattern: null }, []],
    ["a title that may not be cleared", { title: null }, ["/title"]],
    ["tags that may not be cleared by null", { tags: null }, ["/tags"]],
    ["fields of the service", { status: "completed", user_id: "x" }, ["/status", "/user_id"]],
  ])("%s", (_name, body, paths) => {
    expect(mistakes(taskPatch, body)).toEqual(paths);
  });
});

test.each<[string, object, string]>([
  ["a due day and a due time", { due_on: "2026-03-05", due_date: "2026-03-05T10:00:00Z" }, "due_on"],
  ["a day the calendar does not have", { due_on: "2026-02-30" }, "due_on"],
  ["an offset for a zone", { due_tz: "+01:00" }, "due_tz"],
  ["a reminder after the due time", { remind: ["PT0S", "-PT5M"] }, "remind.1"],
  ["more than ten reminders", { remind: Array.from({ length: 11 }, (_, n) => `PT${n}M`) }, "remind"],
])("refuses %s", (_what, body, path) => {
  for (const result of [newTask.safeParse({ title: "milk", ...body }), taskPatch.safeParse(body)])
    expect(result.error?.issues.map((issue) => issue.path.join("."))).toEqual([path]);
});
