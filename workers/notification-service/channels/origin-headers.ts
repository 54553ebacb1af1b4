import type { Notification } from "./channel.ts";

/** Printable and of one line: a foreign writer of the topic may have put anything there. */
const headerValue = /^[\x21-\x7e]{1,255}$/;

/**
 * The headers that name the chain a notification belongs to: of webhooks, and of mails. What is not known is left out.
 */
export function originHeaders(of: Pick<Notification, "correlationId" | "causationId" | "traceparent">) {
  const all = [
    ["x-correlation-id", of.correlationId],
    ["x-causation-id", of.causationId],
    ["traceparent", of.traceparent],
  ] as const;
  return Object.fromEntries(
    all.flatMap(([name, value]) => (headerValue.test(value ?? "") ? [[name, value ?? ""]] : [])),
  );
}
