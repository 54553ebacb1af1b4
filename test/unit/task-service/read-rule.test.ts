import { expect, test } from "bun:test";
import { makeReadRule } from "../../../workers/task-service/read-rule.ts";

const text = (count: number) =>
  JSON.stringify({ rrule: `FREQ=DAILY;COUNT=${count}`, tz: "UTC", start: "2026-01-01T09:00:00" });

test("the pattern of a series is read once for all of its tasks", () => {
  const read = makeReadRule();
  const first = read(text(1));
  expect(first.rule?.rrule).toBe("FREQ=DAILY;COUNT=1");
  expect(read(text(1))).toBe(first);
  for (let count = 2; count <= 1000; count++) read(text(count));
  expect(read(text(1))).toBe(first);
});

test("beyond a thousand the one not asked for the longest is forgotten", () => {
  const read = makeReadRule();
  const rules = Array.from({ length: 1000 }, (_, index) => read(text(index + 1)));
  read(text(1));
  read(JSON.stringify({ rrule: "FREQ=WEEKLY", tz: "UTC", start: "2026-01-01" }));
  expect([read(text(1)) === rules[0], read(text(2)) === rules[1]]).toEqual([true, false]);
});
