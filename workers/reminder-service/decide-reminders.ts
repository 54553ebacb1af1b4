import { deriveId } from "../../shared/derive-id.ts";
import { taskState, type Guard, type TaskState } from "./guard.ts";
import type { DismissReason, Reminder } from "./reminder.ts";

/** `schedule` begins a new generation at `remindAt`; one still pending at another time is dismissed as moved first. */
export type Change =
  | Readonly<{ change: "schedule"; id: string; rule: string | null; remindAt: Date }>
  | Readonly<{ change: "dismiss"; id: string; reason: DismissReason }>;

/**
 * What has to change so that a task's reminders are what its folded fields want; pure, in order of id. Applying the changes
 * and asking again gives none, and whichever message comes first, the same reminders are pending in the end.
 *
 * Completed, deleted or a template: pending ones are dismissed. Same instant, pending or fired: nothing. Dismissed by a
 * person for that instant: nothing. Not after the newest time of the fields it follows from: it was past when it was asked
 * for, so there is none. Else a new generation: so reopening and restoring bring a reminder back.
 */
export function decideReminders(guard: Guard, existing: readonly Reminder[]): readonly Change[] {
  const state = taskState(guard);
  const byId = new Map(existing.map((reminder) => [reminder.id, reminder]));
  const wanted = new Map<string, { rule: string | null; at: number | null; askedAt: number }>();
  for (const { id, rule, remindAt } of existing)
    wanted.set(
      id,
      rule === null ? { rule, at: remindAt.getTime(), askedAt: state.openedAt } : { rule, at: null, askedAt: 0 },
    );
  for (const { rule, offset_ms } of state.rules)
    wanted.set(ruleReminderId(guard.taskId, rule), {
      rule,
      at: state.due === null ? null : state.due + offset_ms,
      askedAt: state.askedAt,
    });
  return [...wanted]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .flatMap(([id, { rule, at, askedAt }]): readonly Change[] => {
      const reminder = byId.get(id);
      const dismiss = (reason: DismissReason): readonly Change[] =>
        reminder?.status === "pending" ? [{ change: "dismiss", id, reason }] : [];
      const barred = whyNone(state);
      if (barred !== null) return dismiss(barred);
      if (at === null) return dismiss("unscheduled");
      if (reminder?.remindAt.getTime() === at && reminder.status !== "dismissed") return [];
      if (reminder?.dismissedFor?.getTime() === at || at <= askedAt) return dismiss("moved");
      return [{ change: "schedule", id, rule, remindAt: new Date(at) }];
    });
}

/** One reminder per task and rule, whoever decides and however often. */
export function ruleReminderId(taskId: string, rule: string): string {
  return deriveId("reminder", taskId, rule);
}

/** One reminder per task and instant a person asked for: asking twice is asking once. */
export function ownReminderId(taskId: string, remindAt: Date): string {
  return deriveId("reminder", taskId, "at", remindAt.toISOString());
}

function whyNone({ closed, isTemplate }: TaskState): DismissReason | null {
  return closed ?? (isTemplate ? "template" : null);
}
