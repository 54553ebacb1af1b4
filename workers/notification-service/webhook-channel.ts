import { Webhook } from "standardwebhooks";
import type { Channel, Notification, Sent } from "./channel.ts";

export type WebhookOptions = Readonly<{
  url: URL;
  /** `whsec_` and base64, as Standard Webhooks writes it. */
  secret: string;
  timeoutMs: number;
  now: () => Date;
}>;

const longestWaitMs = 60 * 60 * 1000;

/**
 * Posts notifications to one URL, signed as standardwebhooks.com says: `webhook-id` is the notification's id, the same at every
 * attempt. A 2xx is delivered, 410 refuses for good, everything else is tried again; redirects are not followed, because a
 * signed body belongs to the URL it was meant for. Throws at once for a secret that is none.
 */
export function makeWebhookChannel({ url, secret, timeoutMs, now }: WebhookOptions): Channel {
  const webhook = new Webhook(secret);
  return {
    name: "webhook",
    send: async (notification) => {
      const body = JSON.stringify(bodyOf(notification));
      const sentAt = now();
      const headers = {
        "content-type": "application/json",
        "user-agent": "taskwire",
        "webhook-id": notification.id,
        "webhook-timestamp": String(Math.floor(sentAt.getTime() / 1000)),
        "webhook-signature": webhook.sign(notification.id, sentAt, body),
      };
      try {
        const signal = AbortSignal.timeout(timeoutMs);
        const response = await fetch(url, { method: "POST", headers, body, redirect: "manual", signal });
        await response.body?.cancel();
        return judge(response, sentAt);
      } catch (error) {
        // Whether it arrived is unknown; the receiver knows it by its id.
        return { outcome: "retry", reason: codeOf(error), afterMs: null };
      }
    },
  };
}

function bodyOf(notification: Notification) {
  return {
    type: "reminder.triggered",
    timestamp: notification.triggeredAt.toISOString(),
    data: {
      id: notification.id,
      user_id: notification.userId,
      reminder_id: notification.reminderId,
      task_id: notification.taskId,
      title: notification.title,
      remind_at: notification.remindAt?.toISOString() ?? null,
      triggered_at: notification.triggeredAt.toISOString(),
    },
  };
}

function judge({ status, headers }: Response, now: Date): Sent {
  if (status >= 200 && status < 300) return { outcome: "delivered" };
  if (status === 410) return { outcome: "refused", reason: "HTTP 410" };
  return { outcome: "retry", reason: `HTTP ${status}`, afterMs: retryAfterMs(headers.get("retry-after"), now) };
}

/** Seconds or an HTTP date (RFC 9110 §10.2.3); an hour at most, for a receiver's clock may be anything. */
function retryAfterMs(header: string | null, now: Date): number | null {
  if (header === null) return null;
  const ms = /^\d+$/.test(header) ? Number(header) * 1000 : Date.parse(header) - now.getTime();
  return Number.isNaN(ms) ? null : Math.min(Math.max(ms, 0), longestWaitMs);
}

function codeOf(error: unknown): string {
  if (!(error instanceof Error)) return "unknown";
  return "code" in error && typeof error.code === "string" ? error.code : error.name;
}
