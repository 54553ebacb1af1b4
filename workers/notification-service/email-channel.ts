import type { Channel, Sent } from "./channel.ts";
import { emailText } from "./email-text.ts";

/** What a mail server is asked to carry. */
export type Mail = Readonly<{
  from: string;
  to: string;
  subject: string;
  text: string;
  messageId: string;
  headers: Readonly<Record<string, string>>;
}>;

/** Hands a mail to a server; rejects with `responseCode` where the server said no, and nodemailer's `code` and `command`: at what. Aborted, it rejects at once
 * and sends no more of it. */
export type SendMail = (mail: Mail, signal: AbortSignal) => Promise<void>;

export type EmailOptions = Readonly<{
  /** `name@domain`, with or without a display name. */
  from: string;
  sendMail: SendMail;
  mayGoTo: (address: string) => boolean;
  /** How many are sent at once; more would wait for each other's connections and use up their time. */
  connections: number;
  /** How many go to one mailbox in an hour. */
  hourly: number;
  timeoutMs: number;
}>;

/**
 * Mails notifications as plain text. The Message-ID is made of the notification's id, so a mail that is sent twice is one to those who
 * compare them. What the server refuses with 5xx of the recipient or the message is final (RFC 5321 §4.2.1). Everything else is tried
 * again: a wrong password, a server that turns us away or wants another sender, are for the operator to mend.
 */
export function makeEmailChannel({ from, sendMail, mayGoTo, connections, hourly, timeoutMs }: EmailOptions): Channel {
  const address = /<([^<>]+)>\s*$/.exec(from)?.[1] ?? from.trim();
  const domain = address.slice(address.lastIndexOf("@") + 1);
  return {
    name: "email",
    atOnce: connections,
    hourly,
    send: async (notification) => {
      if (!mayGoTo(notification.target))
        return { outcome: "refused", reason: "the operator does not allow mail to this address" };
      const mail = {
        from,
        to: notification.target,
        ...emailText(notification),
        messageId: `<${notification.id}@${domain}>`,
        headers: {
          // RFC 3834: nobody's holiday answer comes back. RFC 2369 §3.2: where to say that one wants no more.
          "auto-submitted": "auto-generated",
          "list-unsubscribe": `<mailto:${address}?subject=unsubscribe>`,
        },
      };
      // nodemailer's own deadlines are per step; a send must settle within the lease.
      const signal = AbortSignal.timeout(timeoutMs);
      try {
        await sendMail(mail, signal);
        return { outcome: "delivered" };
      } catch (error) {
        return signal.aborted
          ? { outcome: "retry", reason: "TimeoutError", afterMs: null, unsure: true }
          : judge(error);
      }
    },
  };
}

function judge(error: unknown): Sent {
  if (!(error instanceof Error)) return { outcome: "retry", reason: "unknown", afterMs: null };
  const status = "responseCode" in error && typeof error.responseCode === "number" ? error.responseCode : null;
  const code = "code" in error && typeof error.code === "string" ? error.code : error.name;
  const isOfMail =
    (code === "EENVELOPE" || code === "EMESSAGE") && !("command" in error && error.command === "MAIL FROM");
  if (status !== null && status >= 500 && isOfMail) return { outcome: "refused", reason: `SMTP ${status}` };
  return { outcome: "retry", reason: status === null ? code : `SMTP ${status}`, afterMs: null };
}
