import { checked, flag, integer, optional, optionalUrl, type Config } from "../../shared/config.ts";
import type { Log } from "../../shared/log.ts";
import type { Channel, Notification } from "./channel.ts";
import { makeEmailChannel, type EmailOptions } from "./email-channel.ts";
import { makeInAppChannel } from "./in-app-channel.ts";
import { makeLogChannel } from "./log-channel.ts";
import { allowPrivateSetting } from "../../shared/public-address.ts";
import { resolveBySystem } from "./resolve-public.ts";
import { makeWebhookChannel, signerOf, type SendTest } from "./webhook-channel.ts";
import type { Way } from "./way.ts";

export const channelSettings = checked(
  {
    /** Where every notification is posted too, for the operator; unset: nowhere. */
    webhookUrl: optionalUrl("NOTIFY_WEBHOOK_URL", ["http", "https"]),
    /** `whsec_` and base64; needed with the URL. */
    webhookSecret: optional("NOTIFY_WEBHOOK_SECRET"),
    timeoutMs: integer("NOTIFY_TIMEOUT_MS", 5_000, { min: 100, max: 30_000 }),
    allowPrivate: allowPrivateSetting,
    /** The server that takes mail; unset: the e-mail channel refuses, and what follows it in a chain is taken. */
    smtpUrl: optionalUrl("NOTIFY_SMTP_URL", ["smtp", "smtps"]),
    /** A password in that URL goes by TLS alone; true: also to a server that offers none, such as one on the same machine. */
    smtpCleartext: flag("NOTIFY_SMTP_ALLOW_CLEARTEXT", false),
    emailFrom: optional("NOTIFY_EMAIL_FROM"),
    /** Whom mail may go to, for nobody confirms an address: `any`, or domains with commas between; unset: nobody. */
    emailTo: optional("NOTIFY_EMAIL_TO"),
    /** How many mails an hour go to one address, over all people and spellings; the rest waits and goes as one. */
    emailHourly: integer("NOTIFY_EMAIL_HOURLY", 30, { min: 1, max: 10_000 }),
  },
  ({ webhookUrl, webhookSecret, smtpUrl, emailFrom }) => [
    ...(webhookUrl && webhookSecret === null
      ? ["NOTIFY_WEBHOOK_SECRET is not set: what goes to NOTIFY_WEBHOOK_URL is signed"]
      : []),
    ...(smtpUrl && !emailFrom?.includes("@") ? ["NOTIFY_EMAIL_FROM is not an address: mail needs a sender"] : []),
  ],
);

export type Channels = Readonly<{
  channels: readonly Channel[];
  /** Ways that get everything, whatever people choose. */
  operatorWays: readonly Way[];
  /** By the channel of people's webhooks. */
  sendTest: SendTest;
}>;

/** The channels, by the settings of the environment. Throws for a webhook secret that is none. */
export function makeChannels(
  settings: Config<typeof channelSettings>,
  {
    log,
    now,
    mail,
  }: Readonly<{ log: Log; now: () => Date; mail: Pick<EmailOptions, "sendMail" | "connections"> | null }>,
): Channels {
  const { webhookUrl, webhookSecret, timeoutMs, allowPrivate, emailFrom, emailTo, emailHourly } = settings;
  const operator = webhookUrl === null || webhookSecret === null ? null : { target: webhookUrl, secret: webhookSecret };
  const trusted = makeWebhookChannel({ name: "operator-webhook", timeoutMs, now, resolve: null });
  if (operator !== null) signerOf(operator.secret);
  const email: Channel =
    mail === null || emailFrom === null
      ? { name: "email", send: () => Promise.resolve({ outcome: "refused", reason: "mail is not set up" }) }
      : makeEmailChannel({ ...mail, from: emailFrom, mayGoTo: recipients(emailTo), hourly: emailHourly, timeoutMs });
  const webhook = makeWebhookChannel({
    name: "webhook",
    timeoutMs,
    now,
    resolve: allowPrivate ? null : resolveBySystem,
  });
  return {
    sendTest: webhook.sendTest,
    channels: [
      makeInAppChannel(),
      makeLogChannel(log),
      webhook,
      email,
      ...(operator === null
        ? []
        : [
            {
              ...trusted,
              send: (told: Notification, attempt: number) => trusted.send({ ...told, ...operator }, attempt),
            },
          ]),
    ],
    // Its address is the setting of the day, not the one of the day the reminder fired.
    operatorWays: operator === null ? [] : [{ channel: "operator-webhook", target: "" }],
  };
}

function recipients(emailTo: string | null): (address: string) => boolean {
  if (emailTo === null) return () => false;
  if (emailTo.trim() === "any") return () => true;
  const domains = new Set(emailTo.split(",").map((domain) => domain.trim().toLowerCase()));
  return (address) => domains.has(address.slice(address.lastIndexOf("@") + 1).toLowerCase());
}
