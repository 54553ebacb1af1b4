import { checked, flag, integer, optional, optionalUrl } from "../../../shared/role/config.ts";
import { allowPrivateSetting } from "../../../shared/http/public-address.ts";
import { isWebhookSecret } from "../../../shared/preferences/webhook-secret.ts";

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
    /**
     * A password in that URL goes by TLS alone; true: also to a server that offers none, such as one on the same
     * machine.
     */
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
    ...(webhookSecret && !isWebhookSecret(webhookSecret)
      ? ["NOTIFY_WEBHOOK_SECRET is not whsec_ and 24 to 64 bytes in base64"]
      : []),
    ...(smtpUrl && !emailFrom?.includes("@") ? ["NOTIFY_EMAIL_FROM is not an address: mail needs a sender"] : []),
  ],
);
