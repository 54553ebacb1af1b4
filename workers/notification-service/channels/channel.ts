/** What fired: one entry of what is told. `lateBy` in seconds, `null` when it fired in time. */
export type FiredReminder = Readonly<{
  reminderId: string;
  taskId: string;
  title: string | null;
  remindAt: Date | null;
  triggeredAt: Date;
  lateBy: number | null;
}>;

/**
 * A fired reminder on its person's clock. `tz`: the zone of its task's due, else the person's; `dueOn`: the day its
 * task is due, of an all-day one.
 */
export type ToldReminder = FiredReminder & Readonly<{ tz: string; dueOn: string | null }>;

/**
 * A message to a person about one reminder or, as a digest, several, oldest first. `id` is the same at every attempt:
 * receivers drop ids they have seen.
 */
export type Notification = Readonly<{
  id: string;
  userId: string;
  kind: "reminder" | "digest";
  reminders: readonly ToldReminder[];
  /** Where to: the URL of a webhook, the address of an e-mail, else "". */
  target: string;
  /** What signs for the target, where it has one. */
  secret: string | null;
  /** Of the reminder that fired, of several the first; `causationId` is its event, `null` for a digest. */
  correlationId: string | null;
  causationId: string | null;
  traceparent: string | null;
}>;

/**
 * The outcome of one attempt. `retry`: it may work later; `afterMs` if the receiver said when, `unsure` if it was
 * handed over without an answer, so it may have arrived. `refused`: it never will; `gone`: nor will anything else sent
 * there. `reason` is stored and shown: a status or an error's code, no content.
 */
export type SendOutcome = Readonly<
  | { outcome: "delivered" }
  | { outcome: "retry"; reason: string; afterMs: number | null; unsure?: boolean }
  | { outcome: "refused"; reason: string; gone?: boolean }
>;

/** A channel of this process. `send` settles within the sender's lease and never throws for what the receiver does. */
export type ChannelSender = Readonly<{
  /** How many may be on their way at once; 50 where it does not say. */
  atOnce?: number;
  /**
   * How many attempts an hour are made to one mailbox, whoever they are for; as many as there are where it does not
   * say.
   */
  hourly?: number;
  send: (notification: Notification, attempt: number) => Promise<SendOutcome>;
  /** Sends a message that tells nothing, to try an endpoint; of channels with a breaker. */
  sendTest?: SendTest;
}>;

/** A message without a reminder. */
export type TestMessage = Omit<Notification, "kind" | "reminders">;
export type SendTest = (message: TestMessage) => Promise<SendOutcome>;
