import { describe, expect, test } from "bun:test";
import { decidePruned } from "../../../workers/reminder-service/decide-pruned.ts";
import type { GuardRow } from "../../../workers/reminder-service/guard.ts";
import type { Reminder } from "../../../workers/reminder-service/reminder.ts";
import { taskId, userId } from "../../support/guard-messages.ts";

const now = new Date("2026-11-01T12:00:00Z");
const inHours = (hours: number) => new Date(now.getTime() + hours * 3_600_000);
const rules = JSON.stringify([{ rule: "PT15M", offset_ms: -900_000 }]);
const guard: GuardRow = { taskId, userId, fields: { wanted_rules: { value: rules, version: 1, time: 0 } } };

const reminder = (over: Partial<Reminder>): Reminder => ({
  id: crypto.randomUUID(),
  taskId,
  userId,
  rule: null,
  remindAt: inHours(1),
  generation: 1,
  status: "dismissed",
  version: 2,
  triggeredAt: null,
  dismissedAt: now,
  reason: "user",
  snoozedFrom: null,
  snoozedFor: null,
  dropAfter: null,
  dismissedFor: null,
  ...over,
});
const many = (count: number, over: (index: number) => Partial<Reminder>) =>
  Array.from({ length: count }, (_, index) => reminder(over(index)));

describe("the rows of a task that are to go", () => {
  test("are none while there are no more than 200", () => {
    expect(
      decidePruned(
        guard,
        many(200, () => ({})),
        now,
      ),
    ).toEqual([]);
  });

  test("are the oldest of what is over, but for the newest 100, in any order of the rows", () => {
    const rows = many(250, (index) => ({ dismissedAt: inHours(-index) }));
    const gone = decidePruned(guard, rows.toReversed(), now);
    expect(gone).toEqual(rows.slice(100).toReversed());
  });

  test.each<[string, Partial<Reminder>, boolean]>([
    ["waiting", { status: "pending", dismissedAt: null }, false],
    ["one's own that has fired", { status: "triggered", triggeredAt: now, dismissedAt: null }, false],
    ["dismissed by its owner", {}, true],
    ["deleted by its owner", { reason: "removed" }, true],
    ["expired", { reason: "expired" }, true],
    ["dismissed with its task, its time ahead: reopening brings it back", { reason: "completed" }, false],
    [
      "dismissed with its task, its time just past: reopening may be on its way",
      { reason: "deleted", remindAt: inHours(-1) },
      false,
    ],
    ["dismissed with its task, its time long past", { reason: "completed", remindAt: inHours(-25) }, true],
    ["of a rule that is wanted, dismissed: the row remembers for which instant", { rule: "PT15M" }, false],
    ["of a rule that is wanted, fired", { rule: "PT15M", status: "triggered" }, false],
    ["of a rule that is gone, dismissed", { rule: "PT30M", reason: "unscheduled" }, true],
    ["of a rule that is gone, fired", { rule: "PT30M", status: "triggered" }, true],
  ])("%s: over is %p", (_what, over, isOver) => {
    const [old, ...rest] = [
      reminder({ ...over, ...(over.dismissedAt === null ? {} : { dismissedAt: inHours(-99) }) }),
      ...many(250, () => ({})),
    ];
    const gone = decidePruned(guard, [...rest, old], now);
    expect(gone.includes(old)).toBe(isOver);
  });
});
