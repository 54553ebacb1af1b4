import type { TaskChanged } from "./shapes.ts";

export type Live = Readonly<{ close: () => void }>;

export type LiveHandlers = Readonly<{
  onChange: (change: TaskChanged) => void;
  /** The position is not valid any more: read the lists again and start from their cursor. */
  onReset: () => void;
  onSignedOut: () => void;
  onState: (state: "live" | "waiting") => void;
}>;

/**
 * Follows the stream from `cursor`. EventSource reconnects by itself with the last id it saw, so nothing is missed; where it
 * gives up (a proxy answered with an error) a new one is opened after a second, from the last id.
 */
export function openLive(cursor: string | null, handlers: LiveHandlers): Live {
  let last = cursor;
  let source: EventSource;
  let timer: ReturnType<typeof setTimeout> | undefined;
  const open = () => {
    source = new EventSource(last ? `/v1/stream?cursor=${encodeURIComponent(last)}` : "/v1/stream");
    source.addEventListener("open", () => handlers.onState("live"));
    source.addEventListener("error", () => {
      handlers.onState("waiting");
      if (source.readyState !== EventSource.CLOSED) return;
      clearTimeout(timer);
      timer = setTimeout(open, 1000 + Math.random() * 1000);
    });
    source.addEventListener("task.changed", (event) => {
      last = event.lastEventId || last;
      // The gateway writes TaskChanged with its payload as an object.
      handlers.onChange(JSON.parse(event.data) as TaskChanged);
    });
    source.addEventListener("cursor", (event) => {
      last = event.lastEventId || last;
    });
    source.addEventListener("reset", () => {
      close();
      handlers.onReset();
    });
    source.addEventListener("auth", () => {
      close();
      handlers.onSignedOut();
    });
  };
  const close = () => {
    clearTimeout(timer);
    source.close();
  };
  open();
  return { close };
}
