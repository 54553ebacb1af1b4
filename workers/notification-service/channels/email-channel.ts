import type { ChannelSender, SendOutcome } from "./channel.ts";
import { hourMs, type ChannelDefinition } from "./channel-definition.ts";
import type { LinkOf } from "../../../shared/preferences/channel-choices.ts";
import { emailText } from "./email-text.ts";
import type { SendMail } from "./mail.ts";
import { originHeaders } from "./origin-headers.ts";

type EmailOptions = Readonly<{
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

/** Tried for as long as servers usually queue for busy ones. */
export const emailChannel: ChannelDefinition<LinkOf<"email">> = {
  unasked: "never",
  rings: true,
  isInstant: false,
  hasBreaker: false,
  retry: { baseMs: 10_000, capMs: hourMs, maxAttempts: 50, forMs: 24 * hourMs },
  removed: "no longer among the user's addresses",
  targetOf: ({ to }) => to,
  shown: (target) => target,
  open: ({ emailFrom, emailTo, emailHourly: hourly, timeoutMs }, { mail }) =>
    mail === null || emailFrom === null
      ? { send: () => Promise.resolve({ outcome: "refused", reason: "mail is not set up" }) }
      : makeEmailChannel({ ...mail, from: emailFrom, mayGoTo: recipients(emailTo), hourly, timeoutMs }),
};

/**
 * Mails notifications as plain text. The Message-ID is made of the notification's id, so a mail that is sent twice is
 * one to those who compare them. What the server refuses with 5xx of the recipient or the message is final (RFC 5321
 * §4.2.1). Everything else is tried again: a wrong password, a server that turns us away or wants another sender, are
 * for the operator to mend.
 */
export function makeEmailChannel({
  from,
  sendMail,
  mayGoTo,
  connections,
  hourly,
  timeoutMs,
}: EmailOptions): ChannelSender & Readonly<{ name: "email" }> {
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
          ...originHeaders(notification),
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

function judge(error: unknown): SendOutcome {
  if (!(error instanceof Error)) return { outcome: "retry", reason: "unknown", afterMs: null };
  const status = "responseCode" in error && typeof error.responseCode === "number" ? error.responseCode : null;
  const code = "code" in error && typeof error.code === "string" ? error.code : error.name;
  const isOfMail =
    (code === "EENVELOPE" || code === "EMESSAGE") && !("command" in error && error.command === "MAIL FROM");
  if (status !== null && status >= 500 && isOfMail) return { outcome: "refused", reason: `SMTP ${status}` };
  return { outcome: "retry", reason: status === null ? code : `SMTP ${status}`, afterMs: null };
}

function recipients(emailTo: string | null): (address: string) => boolean {
  if (emailTo === null) return () => false;
  if (emailTo.trim() === "any") return () => true;
  const domains = new Set(emailTo.split(",").map((domain) => domain.trim().toLowerCase()));
  return (address) => domains.has(address.slice(address.lastIndexOf("@") + 1).toLowerCase());
}
