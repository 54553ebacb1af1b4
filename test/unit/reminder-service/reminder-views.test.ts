import { expect, test } from "bun:test";
import * as fc from "../../support/fast-check.ts";
import type { Message } from "../../../shared/messages/message.ts";
import { reminderSchema } from "../../../shared/reminders/reminder-schema.ts";
import { applyChanges } from "../../../workers/reminder-service/apply-changes.ts";
import type { ReminderChange } from "../../../workers/reminder-service/decide-reminders.ts";
import type { GuardRow } from "../../../workers/reminder-service/guard.ts";
import { reminderView } from "../../../workers/reminder-service/reminder-view.ts";
import type { Reminder } from "../../../workers/reminder-service/reminder.ts";
import {
  foldReminder,
  reminderViews,
  type FoldedReminders,
  type ReminderEvent,
} from "../../../workers/task-update-broadcaster/fold-reminder.ts";

const id = "0192f0a0-0000-7000-8000-0000000000f1";
const guard = {
  taskId: "0192f0a0-0000-7000-8000-000000000001",
  userId: "0192f0a0-0000-7000-8000-00000000000a",
} as GuardRow;
const at = (minute: number) => new Date(Date.UTC(2026, 0, 1, 9, minute));

/** As a row fires: `compareAndSet` and `triggeredRow` of fire-reminders. */
function fire(before: Reminder, now: Date): { reminder: Reminder; messages: readonly Message[] } {
  const reminder: Reminder = { ...before, status: "triggered", triggeredAt: now, version: before.version + 1 };
  const { taskId, userId, generation, remindAt, rule, version } = reminder;
  const more = { generation, remind_at: remindAt, title: "t", rule, priority: null };
  const data = { id, task_id: taskId, user_id: userId, triggered_at: now, ...more };
  return { reminder, messages: [{ type: "ReminderTriggered", key: taskId, subject: id, sequence: version, data }] };
}

const step = fc.oneof(
  fc.record({
    does: fc.constant("schedule" as const),
    rule: fc.constantFrom(null, "PT15M"),
    dropAfter: fc.constantFrom(undefined, null, "PT2H"),
    snoozed: fc.boolean(),
  }),
  fc.record({ does: fc.constant("dismiss" as const), reason: fc.constantFrom("user" as const, "completed" as const) }),
  fc.record({ does: fc.constant("fire" as const) }),
);

test("whatever becomes of a reminder, the stream's view of it is the answer of its own service", () => {
  fc.assert(
    fc.property(fc.array(step, { minLength: 1, maxLength: 8 }), fc.boolean(), (steps, inOrder) => {
      let row: Reminder | null = null;
      const told: Message[] = [];
      for (const [i, one] of steps.entries()) {
        const before: Reminder | null = row;
        if (one.does !== "schedule" && before?.status !== "pending") continue;
        if (one.does === "fire" && before !== null) {
          const fired = fire(before, at(i));
          row = fired.reminder;
          told.push(...fired.messages);
          continue;
        }
        const snooze = one.does === "schedule" && one.snoozed ? { from: at(i + 5), for: null } : null;
        const change: ReminderChange =
          one.does === "schedule"
            ? {
                change: "schedule",
                id,
                rule: one.rule,
                remindAt: at(i + 10),
                snooze,
                ...(one.dropAfter === undefined ? {} : { dropAfter: one.dropAfter }),
              }
            : { change: "dismiss", id, reason: one.does === "dismiss" ? one.reason : "user" };
        const applied = applyChanges(guard, before === null ? [] : [before], [change], at(i));
        row = applied.reminders[0] ?? before;
        told.push(...applied.messages);
      }
      if (row === null) return;
      const folded = (inOrder ? told : told.toReversed()).reduce<FoldedReminders>(
        (all, message) => foldReminder(all, message as unknown as ReminderEvent),
        {},
      );
      const views = reminderViews(folded, { id: guard.taskId, user_id: guard.userId });
      expect(views).toEqual([reminderView(row)]);
      expect(Object.keys(views[0] ?? {}).toSorted()).toEqual(Object.keys(reminderSchema.shape).toSorted());
    }),
    { numRuns: 500 },
  );
});

test("one that its person deleted is in no view", () => {
  const scheduled = applyChanges(
    guard,
    [],
    [{ change: "schedule", id, rule: null, remindAt: at(10), snooze: null }],
    at(0),
  );
  const dismissed = applyChanges(guard, scheduled.reminders, [{ change: "dismiss", id, reason: "user" }], at(1));
  const all = [...scheduled.messages, ...dismissed.messages].map((message) =>
    message.type === "ReminderDismissed" ? { ...message, data: { ...message.data, reason: "removed" } } : message,
  );
  const folded = all.reduce<FoldedReminders>(
    (reminders, message) => foldReminder(reminders, message as unknown as ReminderEvent),
    {},
  );
  expect(reminderViews(folded, { id: guard.taskId, user_id: guard.userId })).toEqual([]);
});
