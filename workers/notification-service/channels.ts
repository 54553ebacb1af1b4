import { checked, integer, optional, optionalUrl, type Config } from "../../shared/config.ts";
import type { Log } from "../../shared/log.ts";
import type { Channel } from "./channel.ts";
import { makeLogChannel } from "./log-channel.ts";
import { makeWebhookChannel } from "./webhook-channel.ts";

export const channelSettings = checked(
  {
    /** Where notifications are posted; unset: they are logged only. */
    webhookUrl: optionalUrl("NOTIFY_WEBHOOK_URL", ["http", "https"]),
    /** `whsec_` and base64; needed with the URL. */
    webhookSecret: optional("NOTIFY_WEBHOOK_SECRET"),
    timeoutMs: integer("NOTIFY_TIMEOUT_MS", 5_000, { min: 100, max: 30_000 }),
  },
  ({ webhookUrl, webhookSecret }) =>
    webhookUrl && webhookSecret === null
      ? ["NOTIFY_WEBHOOK_SECRET is not set: what goes to NOTIFY_WEBHOOK_URL is signed"]
      : [],
);

/** The channels the environment asks for: `log` always, `webhook` where a URL is set. Throws for a secret that is none. */
export function makeChannels(
  { webhookUrl, webhookSecret, timeoutMs }: Config<typeof channelSettings>,
  { log, now }: Readonly<{ log: Log; now: () => Date }>,
): readonly Channel[] {
  const channels = [makeLogChannel(log)];
  if (webhookUrl === null || webhookSecret === null) return channels;
  return [...channels, makeWebhookChannel({ url: new URL(webhookUrl), secret: webhookSecret, timeoutMs, now })];
}
