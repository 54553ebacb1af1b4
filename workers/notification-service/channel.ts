/** What fired: one entry of what is told. `lateBy` in seconds, `null` when it fired in time. */
export type Fired = Readonly<{
  reminderId: string;
  taskId: string;
  title: string | null;
  remindAt: Date | null;
  triggeredAt: Date;
  lateBy: number | null;
}>;

/** What is told, of one reminder or, as a digest, of several, oldest first. `id` never changes, however often it is sent: receivers drop what they have seen. */
export type Notification = Readonly<{
  id: string;
  userId: string;
  kind: "reminder" | "digest";
  reminders: readonly Fired[];
  /** Where to: the URL of a webhook, the address of an e-mail, else "". */
  target: string;
  /** What signs for the target, where it has one. */
  secret: string | null;
}>;

/**
 * What became of one attempt. `retry`: it may work later; `afterMs` where the receiver said when, `unsure` where it was
 * handed over and not answered for: it may have arrived. `refused`: it never will;
 * `gone`: nor will anything else sent there. `reason` is stored and shown: a status or an error's code, no content.
 */
export type Sent = Readonly<
  | { outcome: "delivered" }
  | { outcome: "retry"; reason: string; afterMs: number | null; unsure?: boolean }
  | { outcome: "refused"; reason: string; gone?: boolean }
>;

/** `operator-webhook` and `log` are the operator's, the others a person's choice; `log` can be both. */
export const channelNames = ["in-app", "log", "webhook", "email", "operator-webhook"] as const;
export type ChannelName = (typeof channelNames)[number];

/** A way to a person. `send` settles within the sender's lease and never throws for what the receiver does. */
export type Channel = Readonly<{
  name: ChannelName;
  /** How many may be on their way at once; 50 where it does not say. */
  atOnce?: number;
  /** How many attempts an hour are made to one mailbox, whoever they are for; as many as there are where it does not say. */
  hourly?: number;
  send: (notification: Notification, attempt: number) => Promise<Sent>;
}>;
