import { deriveId } from "../../shared/messages/derive-id.ts";
import { ruleReminderId } from "../../shared/reminders/rule-reminder-id.ts";
import { taskState, type GuardRow, type TaskState } from "./guard.ts";
import { instantOf, type DismissReason, type Reminder } from "./reminder.ts";

/**
 * `schedule` begins a new generation at `remindAt`; one still pending at another time is dismissed first, as moved or,
 * where there is a `snooze`, as snoozed.
 */
export type ReminderChange =
  | Readonly<{
      change: "schedule";
      id: string;
      rule: string | null;
      remindAt: Date;
      snooze: Snooze | null;
      /** How late it may fire; not given, it stays as it is. */
      dropAfter?: string | null;
    }>
  | Readonly<{ change: "dismiss"; id: string; reason: DismissReason }>;

/** The time a snoozed reminder had before, and what was wanted of it when it was snoozed; see `Reminder`. */
export type Snooze = Readonly<{ from: Date; for: Date | null }>;

type WantedTime = Readonly<{
  rule: string | null;
  /** The instant, in ms; `null` for none. */
  at: number | null;
  /** When it was asked for: an instant not after it was past by then. */
  askedAt: number;
}>;

/**
 * The changes that make a task's reminders what its folded fields want; pure, in order of id. Asked again after they
 * were applied, it gives none, and whichever message comes first, the same reminders are pending in the end. The first
 * case that fits counts:
 *
 * - completed, deleted or a template: pending reminders are dismissed;
 * - the same instant, or snoozed from it, pending or fired: nothing;
 * - dismissed by a person for that instant: nothing;
 * - an instant not after the newest time of the fields it follows from: it was past when it was asked for, so there is
 *   none;
 * - else a new generation. So reopening and restoring bring a reminder back, at the snooze's time if that is still
 *   ahead.
 */
export function decideReminders(guard: GuardRow, existing: readonly Reminder[]): readonly ReminderChange[] {
  const state = taskState(guard);
  const byId = new Map(existing.map((reminder) => [reminder.id, reminder]));
  const ids = new Set([...byId.keys(), ...state.rules.map(({ rule }) => ruleReminderId(guard.taskId, rule))]);
  const rules = new Map(state.rules.map(({ rule }) => [ruleReminderId(guard.taskId, rule), rule]));
  return [...ids].sort().flatMap((id): readonly ReminderChange[] => {
    const reminder = byId.get(id) ?? null;
    const { rule, at, askedAt } = wantedOf(state, reminder, rules.get(id) ?? null);
    const dismiss = (reason: DismissReason): readonly ReminderChange[] =>
      reminder?.status === "pending" ? [{ change: "dismiss", id, reason }] : [];
    const barred = whyNone(state);
    if (barred !== null) return dismiss(barred);
    const stands = reminder !== null && standsFor(reminder, at);
    if (stands && reminder.status !== "dismissed") return [];
    if (at === null) return dismiss("unscheduled");
    if (reminder?.dismissedFor?.getTime() === at) return dismiss("moved");
    const snooze = stands && endedByClosing(reminder) ? snoozeOf(reminder) : null;
    if (reminder !== null && snooze !== null && reminder.remindAt.getTime() > askedAt)
      return [{ change: "schedule", id, rule, remindAt: reminder.remindAt, snooze }];
    if (at <= askedAt) return dismiss("moved");
    return [{ change: "schedule", id, rule, remindAt: new Date(at), snooze: null }];
  });
}

/** The instant that is wanted of a reminder as things are, `null` for none: where a snooze of it belongs. */
export function wantedInstant(guard: GuardRow, reminder: Reminder): Date | null {
  const { at } = wantedOf(taskState(guard), reminder, reminder.rule);
  return at === null ? null : new Date(at);
}

function wantedOf(
  { due, rules, askedAt, openedAt }: TaskState,
  reminder: Reminder | null,
  rule: string | null,
): WantedTime {
  if (reminder !== null && reminder.rule === null)
    return { rule: null, at: instantOf(reminder).getTime(), askedAt: openedAt };
  const wanted = rules.find((each) => each.rule === rule);
  return { rule, at: due === null || wanted === undefined ? null : due + wanted.offset_ms, askedAt };
}

function standsFor({ remindAt, snoozedFrom, snoozedFor }: Reminder, at: number | null): boolean {
  return snoozedFrom === null ? remindAt.getTime() === at : (snoozedFor?.getTime() ?? null) === at;
}

function snoozeOf({ snoozedFrom, snoozedFor }: Reminder): Snooze | null {
  return snoozedFrom === null ? null : { from: snoozedFrom, for: snoozedFor };
}

/** Dismissed with its task, not by a change of what was wanted of it. */
function endedByClosing({ reason }: Reminder): boolean {
  return reason === "completed" || reason === "deleted" || reason === "template";
}

/**
 * The id of a person's own reminder, one per task and instant: asking twice gives one reminder. `place` gives the next
 * id if the reminder with the one before was moved away.
 */
export function ownReminderId(taskId: string, remindAt: Date, place = 0): string {
  return deriveId("reminder", taskId, "at", remindAt.toISOString(), ...(place === 0 ? [] : [String(place)]));
}

function whyNone({ closed, isTemplate }: TaskState): DismissReason | null {
  return closed ?? (isTemplate ? "template" : null);
}
