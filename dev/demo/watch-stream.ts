import { setTimeout as sleep } from "node:timers/promises";
import { createParser } from "eventsource-parser";
import { direct } from "../../shared/http/proxy-for.ts";

export type StreamEvent = Readonly<{ event: string; id: string; data: unknown }>;

/** Follows the stream of a user as a browser does: reconnects with the last id it saw until `signal` is aborted. */
export async function watchStream(
  url: string,
  token: string,
  onEvent: (event: StreamEvent) => void,
  signal: AbortSignal,
  from: string | null = null,
): Promise<void> {
  let lastId = from;
  while (!signal.aborted) {
    try {
      const response = await fetch(url, {
        headers: { authorization: `Bearer ${token}`, ...(lastId ? { "last-event-id": lastId } : {}) },
        signal,
        ...direct,
      });
      const parser = createParser({
        onEvent: (event) => {
          lastId = event.id || lastId;
          onEvent({
            event: event.event ?? "message",
            id: event.id ?? "",
            data: event.data === "" ? null : JSON.parse(event.data),
          });
        },
      });
      const decoder = new TextDecoder();
      if (response.ok && response.body)
        for await (const bytes of response.body) parser.feed(decoder.decode(bytes, { stream: true }));
    } catch {
      // Stopped by us, or the gateway is being restarted: the loop tells them apart.
    }
    if (!signal.aborted) await sleep(300); // EventSource waits too
  }
}
