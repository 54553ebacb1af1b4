import { Webhook } from "standardwebhooks";
import type { ChannelSender, SendOutcome, SendTest, TestMessage } from "./channel.ts";
import { originHeaders } from "./origin-headers.ts";
import { postPinned, type WebhookAnswer } from "./post-pinned.ts";
import { resolvePublic, type Address, type Resolve } from "./resolve-public.ts";
import { testBody, webhookBody } from "./webhook-body.ts";
import { inTime } from "../../../shared/waiting/wait.ts";

type WebhookOptions = Readonly<{
  name: "webhook" | "operator-webhook";
  timeoutMs: number;
  now: () => Date;
  /** How names of people's endpoints are resolved, to refuse those that lead inside; `null`: they may lead anywhere. */
  resolve: Resolve | null;
  ca?: string;
}>;

type WebhookChannel = ChannelSender & Readonly<{ name: WebhookOptions["name"]; sendTest: SendTest }>;

const longestWaitMs = 60 * 60 * 1000;

/**
 * Posts notifications to their target, signed as standardwebhooks.com says: `webhook-id` is the notification's id, the
 * same at every attempt. A 2xx is delivered, 410 refuses for good, everything else is tried again; redirects are not
 * followed, because a signed body belongs to the URL it was meant for. Where names are resolved, the connection goes to
 * an address that was looked at.
 */
export function makeWebhookChannel({ name, timeoutMs, now, resolve, ca }: WebhookOptions): WebhookChannel {
  const post = async (message: TestMessage, bodyAt: (sentAt: Date) => string): Promise<SendOutcome> => {
    const url = URL.parse(message.target);
    if (url === null || !/^https?:$/.test(url.protocol) || message.secret === null)
      return { outcome: "refused", reason: "not a URL that can be posted to" };
    try {
      const sentAt = now();
      const body = bodyAt(sentAt);
      const headers = signedHeaders(message, message.secret, body, sentAt);
      const addresses = resolve === null ? null : await withinMs(resolvePublic(url, resolve), timeoutMs);
      if (resolve !== null && addresses === null) return { outcome: "refused", reason: "not a public address" };
      return judge(await postPinned({ url, headers, body, addresses, timeoutMs, ...(ca ? { ca } : {}) }), sentAt);
    } catch (error) {
      // Whether it arrived is unknown; the receiver knows it by its id.
      return { outcome: "retry", reason: codeOf(error), afterMs: null };
    }
  };
  return {
    name,
    send: (notification) => post(notification, () => webhookBody(notification)),
    sendTest: (message) => post(message, (sentAt) => testBody(message, sentAt)),
  };
}

function signedHeaders(message: TestMessage, secret: string, body: string, sentAt: Date) {
  const { id } = message;
  return {
    ...originHeaders(message),
    "content-type": "application/json",
    "user-agent": "taskwire",
    "webhook-id": id,
    "webhook-timestamp": String(Math.floor(sentAt.getTime() / 1000)),
    "webhook-signature": new Webhook(secret).sign(id, sentAt, body),
  };
}

/** A resolver has timeouts of its own, longer than a lease. */
function withinMs(work: Promise<readonly Address[] | null>, timeoutMs: number): Promise<readonly Address[] | null> {
  return inTime(timeoutMs, work, () => new DOMException("the name was not resolved in time", "TimeoutError"));
}

function judge({ status, retryAfter }: WebhookAnswer, now: Date): SendOutcome {
  if (status >= 200 && status < 300) return { outcome: "delivered" };
  if (status === 410) return { outcome: "refused", reason: "HTTP 410", gone: true };
  return { outcome: "retry", reason: `HTTP ${status}`, afterMs: retryAfterMs(retryAfter, now) };
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
