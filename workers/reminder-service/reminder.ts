export type ReminderState = "pending" | "triggered" | "dismissed";
export type DismissReason =
  | "user"
  | "completed"
  | "deleted"
  | "template"
  | "moved"
  | "snoozed"
  | "unscheduled"
  | "expired"
  | "removed"
  | "same_time";

/** A reminder as its row holds it. `version` counts its events, `generation` how often it was scheduled. */
export type Reminder = Readonly<{
  id: string;
  taskId: string;
  userId: string;
  /** The rule that made it; `null` for one a person set to a time of its own. */
  rule: string | null;
  /** When it is to fire, or fired; snoozed, the later time. */
  remindAt: Date;
  generation: number;
  status: ReminderState;
  version: number;
  triggeredAt: Date | null;
  dismissedAt: Date | null;
  reason: DismissReason | null;
  /** What it was snoozed from, the time it had before; `null` where it is not snoozed. */
  snoozedFrom: Date | null;
  /**
   * What its rule (or the person) wanted when it was snoozed: once that is another instant, the snooze is over. `null`
   * where it is not snoozed, or was when nothing wanted it any more, having fired.
   */
  snoozedFor: Date | null;
  /** How late it may fire, as a duration such as PT2H: later it is dismissed as expired. `null`: however late. */
  dropAfter: string | null;
  /**
   * The instant a person dismissed it for, or it expired at, last; it is not scheduled for that instant again by
   * itself.
   */
  dismissedFor: Date | null;
}>;

/** The instant it stands for, wherever a snooze has put it. */
export function instantOf({ remindAt, snoozedFrom, snoozedFor }: Reminder): Date {
  return snoozedFor ?? snoozedFrom ?? remindAt;
}
