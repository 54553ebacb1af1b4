/** What is told about a fired reminder. `id` never changes, however often it is sent: receivers drop what they have seen. */
export type Notification = Readonly<{
  id: string;
  userId: string;
  reminderId: string;
  taskId: string;
  title: string | null;
  remindAt: Date | null;
  triggeredAt: Date;
}>;

/**
 * What became of one attempt. `retry`: it may work later; `afterMs` where the receiver said when. `refused`: it never will.
 * `reason` is stored and logged: a status or an error's code, no content.
 */
export type Sent = Readonly<
  | { outcome: "delivered" }
  | { outcome: "retry"; reason: string; afterMs: number | null }
  | { outcome: "refused"; reason: string }
>;

/** A way to a person. `send` settles within the sender's lease and never throws for what the receiver does. */
export type Channel = Readonly<{
  name: string;
  send: (notification: Notification, attempt: number) => Promise<Sent>;
}>;
