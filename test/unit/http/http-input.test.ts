import { z } from "@hono/zod-openapi";
import { describe, expect, test } from "bun:test";
import { encodeCursor, decodeCursor, placeParts } from "../../../shared/http/cursor.ts";
import { usePlainWords } from "../../../shared/http/plain-words.ts";
import { mistakesOf } from "../../../shared/http/problem-response.ts";
import { wholeNumber } from "../../../shared/http/whole-number.ts";
import { preferencesInput } from "../../../shared/preferences/preferences.ts";
import { dueDay } from "../../../shared/tasks/due-day.ts";
import { dueTime } from "../../../shared/tasks/due-input.ts";
import { instant } from "../../../shared/tasks/instant.ts";
import { newTask } from "../../../shared/tasks/task-input.ts";
import { readTime } from "../../../workers/operator/read-time.ts";

usePlainWords();

function mistakes(schema: z.ZodType, value: unknown): readonly string[] {
  const result = schema.safeParse(value);
  return result.success ? [] : mistakesOf(result.error, "body").map(({ path, message }) => `${path} ${message}`);
}

describe("mistakes are said in words that go on from the field", () => {
  test.each<[said: string, schema: z.ZodType, value: unknown]>([
    ["/title is missing", newTask, {}],
    ["/title is not text", newTask, { title: 7 }],
    ["/title is not text", newTask, { title: null }],
    ["/title does not have at most 500 characters", newTask, { title: "x".repeat(501) }],
    ["/priority is not one of Low, Medium, High", newTask, { title: "x", priority: "Huge" }],
    ["/tags is not a list", newTask, { title: "x", tags: "a" }],
    ["/is_recurring_template is not true or false", newTask, { title: "x", is_recurring_template: "yes" }],
    ["/ is not an object", newTask, []],
    ["/due is not a field here", newTask, { title: "x", due: 1 }],
    ["/channels/0/type is none of the forms it may have", preferencesInput, { channels: [{ type: "pigeon" }] }],
    ["/channels/0/to is missing", preferencesInput, { channels: [{ type: "email" }] }],
    ["/channels/0/to is not an e-mail address", preferencesInput, { channels: [{ type: "email", to: "x" }] }],
    [
      "/channels does not have at most 5 items",
      preferencesInput,
      { channels: Array.from({ length: 6 }, () => ({ type: "log" })) },
    ],
    ["/n is not a number", z.object({ n: z.number().min(1) }), { n: Number.NaN }],
    ["/n is not at least 1", z.object({ n: z.number().min(1) }), { n: 0 }],
  ])("%s", (said, schema, value) => {
    expect(mistakes(schema, value)).toEqual([said]);
  });

  test("nothing that zod says by itself comes through", () => {
    const kinds = z.object({
      a: z.string(),
      b: z.int(),
      c: z.boolean(),
      d: z.array(z.string()).min(2),
      e: z.uuid(),
      f: z.enum(["x"]),
      g: z.literal(1),
      h: z.union([z.string(), z.number()]),
      i: z.record(z.string(), z.number()),
      j: z.null(),
      k: z.iso.date(),
      l: z.url(),
      m: z.string().regex(/x/),
      n: z.number().multipleOf(2),
      o: z.bigint(),
      p: z.date(),
    });
    const values = [undefined, null, "", "z", 3, Number.NaN, true, [], {}];
    const said = values.flatMap((value) =>
      mistakes(kinds, Object.fromEntries("abcdefghijklmnop".split("").map((key) => [key, value]))),
    );
    expect(said.length).toBeGreaterThan(80);
    expect(said.filter((text) => /undefined|NaN|Invalid|expected|received|pattern/.test(text))).toEqual([]);
  });
});

describe("a whole number of a query", () => {
  const limit = wholeNumber({ min: 1, max: 200, fallback: 50 });
  test.each([
    ["1", 1],
    ["200", 200],
    ["007", 7],
    [undefined, 50],
  ])("%p is %p", (text, number) => {
    expect(limit.parse(text)).toBe(number);
  });
  test.each(["", "0", "201", "1e1", "0x10", " 10", "10 ", "+5", "-1", "1.0", "abc", "٣", "9".repeat(400)])(
    "%p is none",
    (text) => {
      expect(mistakes(limit, text)).toEqual(["/ is not a whole number from 1 to 200"]);
    },
  );
});

describe("an instant", () => {
  test.each([
    ["2026-12-31T18:00:00+01:00", "2026-12-31T17:00:00.000Z"],
    ["2026-12-31t18:00:00z", "2026-12-31T18:00:00.000Z"],
    ["2026-12-31T18:00:00.123456z", "2026-12-31T18:00:00.123Z"],
    ["2024-02-29T00:00Z", "2024-02-29T00:00:00.000Z"],
    ["1969-12-31T23:00:00-02:00", "1970-01-01T01:00:00.000Z"],
  ])("%s is %s", (text, iso) => {
    expect(instant.parse(text).toISOString()).toBe(iso);
  });
  test.each([
    ["2026-02-30T00:00:00Z", "names 2026-02-30, a day no calendar has"],
    ["2026-13-01T00:00:00Z", "names 2026-13-01, a day no calendar has"],
    ["2025-02-29T00:00:00Z", "names 2025-02-29, a day no calendar has"],
    ["2016-12-31T23:59:60Z", "has second 60, a leap second: write 59, or 00 of the next minute"],
    ["2016-12-31t18:59:60.5-05:00", "has second 60, a leap second: write 59, or 00 of the next minute"],
    ["1969-12-31T23:59:59Z", "is not between 1970 and 2199"],
    ["2200-01-01T00:00:00Z", "is not between 1970 and 2199"],
    ["2026-01-01T00:00:00", "is not an RFC 3339 time with an offset, such as 2026-12-31T18:00:00+01:00"],
    ["2026-01-01T24:00:00Z", "is not an RFC 3339 time with an offset, such as 2026-12-31T18:00:00+01:00"],
    ["2026-01-01 00:00:00Z", "is not an RFC 3339 time with an offset, such as 2026-12-31T18:00:00+01:00"],
    [
      `2026-01-01T00:00:00.${"0".repeat(30_000)}Z`,
      "is not an RFC 3339 time with an offset, such as 2026-12-31T18:00:00+01:00",
    ],
  ])("%s is none", (text, said) => {
    expect(mistakes(instant, text)).toEqual([`/ ${said}`]);
  });
  test.each([
    ["2026-12-31T18:00", { local: "2026-12-31T18:00:00" }],
    ["2026-12-31t18:00:30", { local: "2026-12-31T18:00:30" }],
    ["2026-12-31t18:00z", new Date("2026-12-31T18:00Z")],
  ])("as a due time %s is local where it has no offset", (text, due) => {
    expect(dueTime.parse(text)).toEqual(due);
  });
  test.each([
    ["2026-02-30T10:00", "names 2026-02-30, a day no calendar has"],
    ["2026-02-30T10:00Z", "names 2026-02-30, a day no calendar has"],
    ["2200-01-01T10:00", "is not between 1970 and 2199"],
    ["2026-01-01T10:00:60", "has second 60, a leap second: write 59, or 00 of the next minute"],
    [
      "2026-01-01T24:00",
      "is not an RFC 3339 time with an offset, such as 2026-12-31T18:00:00+01:00, and no local time such as 2026-12-31T18:00",
    ],
  ])("as a due time %s is none", (text, said) => {
    expect(mistakes(dueTime, text)).toEqual([`/ ${said}`]);
  });
  test("a day is one of the calendar", () => {
    expect(mistakes(dueDay, "2026-02-30")).toEqual(["/ is not a day of the calendar, such as 2026-12-31"]);
    expect(mistakes(dueDay, "9999-12-31")).toEqual(["/ is not between 1970 and 2199"]);
    expect(dueDay.parse("2028-02-29")).toBe("2028-02-29");
  });
});

describe("text that a person can see", () => {
  const title = (text: string) => mistakes(newTask, { title: text });
  test.each(["milk", " milk ", "👩‍👩‍👧", "ä", "שלום", "한국", "⠿", "1️⃣", "\u202eabc"])("%p is a title", (text) => {
    expect(title(text)).toEqual([]);
  });
  test.each(["", "  ", "\n\t"])("%p is empty", (text) => expect(title(text)).toEqual(["/title is empty"]));
  test.each([
    "\u200b",
    "\u200b\u2060\ufeff\u00ad",
    "\u3164",
    "\u2800",
    "\u115f\u1160",
    "\u202e",
    "\u{e0020}",
    "\ufe0f",
  ])("%j is nothing to see", (text) => expect(title(text)).toEqual(["/title has nothing that a person can see"]));
  test.each(["a\u0007", "a\u001b[31m", "a\nb", "a\u0085b", "\u007fa"])("%j is more than one line of text", (text) => {
    expect(title(text)).toEqual(["/title has a control character"]);
    expect(mistakes(newTask, { title: "a", tags: [text] })).toEqual(["/tags/0 has a control character"]);
  });
  test("a description has lines and tabs, and nothing that rings", () => {
    expect(mistakes(newTask, { title: "a", description: "one\r\n\ttwo\n" })).toEqual([]);
    expect(mistakes(newTask, { title: "a", description: "one\u0007" })).toEqual([
      "/description has a control character",
    ]);
  });
  test("a tag is the same however it is composed", () => {
    expect(newTask.parse({ title: "a", tags: ["\u00e4", "a\u0308", "b"] }).tags).toEqual(["\u00e4", "b"]);
    // NFC makes three characters of this one; the bound is on what is kept.
    expect(mistakes(newTask, { title: "a", tags: ["\ufb2c".repeat(22)] })).toEqual([
      "/tags/0 does not have at most 64 characters",
    ]);
  });
});

describe("made-up places and times never reach the database", () => {
  const id = "3f0e8a52-6c1b-4b52-9c6e-111111111111";
  const byTime = z.tuple([placeParts.time, placeParts.id]);
  const byMs = z.tuple([placeParts.ms, placeParts.id]);
  test.each([
    "0000-01-01T00:00:00.000Z",
    "1969-12-31T23:59:59.999Z",
    "2026-02-30T00:00:00.000Z",
    "2026-01-01T00:00:00Z",
    "+010000-01-01T00:00:00.000Z",
    "2026-01-01T23:59:59.999999999999999Z",
    "infinity",
  ])("a time of %s", (time) => {
    expect(() => decodeCursor("l", encodeCursor("l", [time, id]), byTime)).toThrow("not valid");
  });
  test.each([-1, 0.5, 9_007_199_254_740_991, 253_402_300_800_000, 1e300])("%d ms", (ms) => {
    expect(() => decodeCursor("l", encodeCursor("l", [ms, id]), byMs)).toThrow("not valid");
  });
  test("those that are taken are told apart to the millisecond", () => {
    for (const time of ["1970-01-01T00:00:00.000Z", "9999-12-31T23:59:59.999Z"])
      expect(decodeCursor("l", encodeCursor("l", [time, id]), byTime)).toEqual([time, id]);
  });
  test.each(["99999999999999999999h", "999999999d", "0000-01-01", "2026-02-30T00:00:00Z", `${"9".repeat(400)}s`])(
    "an operator's %s",
    (text) => expect(readTime(text, new Date("2026-01-01T00:00:00Z"))).toBeNull(),
  );
  test("an operator's age and day", () => {
    const now = new Date("2026-01-02T00:00:00Z");
    expect([readTime("24h", now), readTime("2026-01-01", now)].map((time) => time?.toISOString())).toEqual(
      Array(2).fill("2026-01-01T00:00:00.000Z"),
    );
  });
});
