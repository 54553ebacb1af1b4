import type { TaskChangedJson } from "./shapes.ts";

export type Live = Readonly<{
  close: () => void;
  /** Something says that the server cannot be reached: it is "waiting" until the stream is open anew. */
  doubt: () => void;
}>;

type LiveHandlers = Readonly<{
  onChange: (change: TaskChangedJson) => void;
  /** The position is not valid any more: read the lists again and start from their cursor. */
  onReset: () => void;
  onSignedOut: () => void;
  /** The stream was refused, for a reason a browser does not tell: the session may have ended. It is tried again. */
  onRefused: () => void;
  onState: (state: "live" | "waiting") => void;
}>;

/**
 * The server says its position each minute. A stream that says nothing for longer is dead, whatever the browser
 * believes.
 */
const silentMs = 80_000;
/**
 * What is not open by then never will be: a browser may have sent it over a connection it kept, that is dead too, and
 * has up to six.
 */
const openingMs = 6_000;
const checkMs = 3_000;
/** Somebody looks at the page again: a stream that is silent for longer than this is opened anew, to be sure. */
const doubtfulMs = 20_000;
const longestPauseMs = 8_000;

/**
 * Follows the stream from `cursor`, for as long as it takes: whatever ends it, or leaves it dead without an end, it is
 * opened again from the last id, so nothing is missed. "live" is said only once the server has answered, and not while
 * it says itself that it hears of no changes.
 */
export function openLive(cursor: string | null, handlers: LiveHandlers): Live {
  let last = cursor;
  let source: EventSource | null = null;
  let isOpen = false;
  let heardAt = 0;
  let refusals = 0;
  let again: ReturnType<typeof setTimeout> | undefined;

  const hear = () => (heardAt = Date.now());
  const open = () => {
    clearTimeout(again);
    source?.close();
    isOpen = false;
    hear();
    const own = new EventSource(last ? `/v1/stream?cursor=${encodeURIComponent(last)}` : "/v1/stream");
    source = own;
    const on = (name: string, react: (event: MessageEvent<string>) => void) =>
      own.addEventListener(name, (event: MessageEvent<string>) => {
        hear();
        react(event);
      });
    own.addEventListener("open", () => {
      hear();
      isOpen = true;
      refusals = 0;
      handlers.onState("live");
    });
    own.addEventListener("error", () => {
      hear();
      isOpen = false;
      handlers.onState("waiting");
      if (own.readyState !== EventSource.CLOSED) return; // The browser comes back by itself, with the last id it saw.
      handlers.onRefused();
      const pauseMs = Math.min(longestPauseMs, 1_000 * 2 ** refusals++);
      again = setTimeout(open, pauseMs * (1 + Math.random()));
    });
    on("task.changed", (event) => {
      last = event.lastEventId || last;
      // The gateway writes TaskChanged with its payload as an object.
      handlers.onChange(JSON.parse(event.data) as TaskChangedJson);
    });
    on("cursor", (event) => {
      last = event.lastEventId || last;
    });
    on("state", (event) => {
      const { state } = JSON.parse(event.data) as { state: "live" | "stale" };
      handlers.onState(state === "live" ? "live" : "waiting");
    });
    on("reset", () => {
      close();
      handlers.onReset();
    });
    on("auth", () => {
      close();
      handlers.onSignedOut();
    });
  };
  const check = () => {
    const isWaitingItsTurn = source?.readyState === EventSource.CLOSED;
    if (isWaitingItsTurn || Date.now() - heardAt < (isOpen ? silentMs : openingMs)) return;
    handlers.onState("waiting");
    open();
  };
  const look = () => {
    // Where it does not open again, `check` says so.
    if (!document.hidden && Date.now() - heardAt > doubtfulMs) open();
  };
  const doubt = () => {
    handlers.onState("waiting");
    open();
  };
  const watching = setInterval(check, checkMs);
  document.addEventListener("visibilitychange", look);
  window.addEventListener("online", open);
  window.addEventListener("offline", doubt);
  const close = () => {
    clearTimeout(again);
    clearInterval(watching);
    document.removeEventListener("visibilitychange", look);
    window.removeEventListener("online", open);
    window.removeEventListener("offline", doubt);
    source?.close();
  };
  open();
  return { close, doubt };
}
