export type ReminderStatus = "pending" | "triggered" | "dismissed";
export type DismissReason = "user" | "completed" | "deleted" | "template" | "moved" | "unscheduled";

/** A reminder as its row holds it. `version` counts its events, `generation` how often it was scheduled. */
export type Reminder = Readonly<{
  id: string;
  taskId: string;
  userId: string;
  /** The rule that made it; `null` for one a person set to a time of its own. */
  rule: string | null;
  remindAt: Date;
  generation: number;
  status: ReminderStatus;
  version: number;
  triggeredAt: Date | null;
  dismissedAt: Date | null;
  reason: DismissReason | null;
  /** The instant a person dismissed it for last; it is not scheduled for that instant again by itself. */
  dismissedFor: Date | null;
}>;
