import { integer, optional, type Config } from "../../shared/config.ts";
import type { Log } from "../../shared/log.ts";
import type { Channel } from "./channel.ts";
import { makeLogChannel } from "./log-channel.ts";
import { makeWebhookChannel } from "./webhook-channel.ts";

export const channelSettings = {
  /** Where notifications are posted; unset: they are logged only. */
  webhookUrl: { ...optional("NOTIFY_WEBHOOK_URL"), parse: parseUrl },
  /** `whsec_` and base64; needed with the URL. */
  webhookSecret: optional("NOTIFY_WEBHOOK_SECRET"),
  timeoutMs: integer("NOTIFY_TIMEOUT_MS", 5_000, { min: 100, max: 30_000 }),
};

/** The channels the environment asks for: `log` always, `webhook` where a URL is set. Throws when its secret is missing or none. */
export function makeChannels(
  { webhookUrl, webhookSecret, timeoutMs }: Config<typeof channelSettings>,
  { log, now }: Readonly<{ log: Log; now: () => Date }>,
): readonly Channel[] {
  const channels = [makeLogChannel(log)];
  if (webhookUrl === null) return channels;
  if (webhookSecret === null)
    throw new Error("NOTIFY_WEBHOOK_URL needs NOTIFY_WEBHOOK_SECRET: notifications are signed");
  return [...channels, makeWebhookChannel({ url: webhookUrl, secret: webhookSecret, timeoutMs, now })];
}

function parseUrl(text: string): URL | null {
  if (text === "") return null;
  const url = URL.parse(text);
  if (url === null || !/^https?:$/.test(url.protocol)) throw new Error("must be an http or https URL");
  return url;
}
