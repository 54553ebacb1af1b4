import { createRoute, z, type RouteConfig } from "@hono/zod-openapi";
import { readFailures, writeFailures } from "../../../shared/http/failures.ts";
import type { HttpApp } from "../../../shared/http/http-app.ts";
import { wholeNumber } from "../../../shared/http/whole-number.ts";
import type { Follow } from "./follow.ts";
import { staleSeconds, type Freshness } from "./freshness.ts";
import { pollUpdates } from "./poll-updates.ts";
import { changesSchema, cursorSchema } from "./stream-schema.ts";
import { withEither } from "./with-either.ts";
import { streamHeaders, type Streams, type StreamUser } from "./streams.ts";

export type StreamDeps = Readonly<{
  streams: Streams;
  follow: Follow;
  freshness: Pick<Freshness, "state" | "watch">;
  /** Aborted when the role stops: polls that wait are answered then. */
  stopping: AbortSignal;
  issueTicket: (who: StreamUser) => Promise<Readonly<{ ticket: string; expiresAt: Date }>>;
}>;

// Any text but none: what is no cursor is answered in the stream, where a browser can see it, by `event: reset`.
const position = cursorSchema
  .min(1, { error: "is empty: leave it out to begin with what comes now" })
  .describe("The id of the last event seen, or an X-Stream-Cursor");

const ticket = z.string().max(128).describe("From POST /v1/stream/ticket, in place of a token");

const openStream = createRoute({
  method: "get",
  path: "/v1/stream",
  summary: "Every change of your tasks as server-sent events",
  description:
    "`event: task.changed` has a TaskChanged as data. `event: reset`, `{reason, cursor}`, means: read the lists again, for a ResetReason. " +
    "`event: cursor`, `{cursor}`, moves the position of a quiet stream. `event: state`, `{state}`, says `stale` when this instance has " +
    `not heard of new changes for ${staleSeconds} s, so that there may be some, and \`live\` when it has again. ` +
    "`event: auth`, `{reason}`, ends it with the session: `expired` or " +
    "`session-ended`. `event: drain`, `{reason}`, ends it for you to come back, after the time its `retry` says: `age`, `stopping`, or " +
    "`replaced` where you have opened more than you may have. Ids are positions to resume from, on any instance; comments keep it alive.",
  request: {
    // A browser never sends an empty one, others may: it says nothing.
    headers: z.object({ "last-event-id": cursorSchema.optional().describe("As `cursor`, and before it") }),
    query: z.strictObject({ cursor: position.optional(), ticket: ticket.optional() }),
  },
  responses: {
    200: { description: "The stream", content: { "text/event-stream": { schema: z.string() } } },
    ...readFailures(422),
  },
});

/** Typed wide, so that changes are answered as the JSON they are. */
const syncResponses: RouteConfig["responses"] = {
  200: {
    description:
      "The changes above `since`, the cursor to ask from next, and a reason when everything must be read again",
    content: { "application/json": { schema: changesSchema } },
  },
  ...readFailures(422),
};
const sync = createRoute({
  method: "get",
  path: "/v1/sync",
  summary: "The same changes by long polling",
  description:
    "Answers as soon as there is a change above `since` or `state` changes, or with none after `wait` seconds; without `since` at once, with a cursor to begin " +
    "from. One that is far behind may take 5 s whatever its `wait`, and gets on with each answer.",
  request: {
    query: z.strictObject({
      since: position.optional(),
      wait: wholeNumber({ min: 0, max: 55, fallback: 25 }).openapi({
        description: "How many seconds to wait for a change before answering with none.",
      }),
    }),
  },
  responses: syncResponses,
});
const makeTicket = createRoute({
  method: "post",
  path: "/v1/stream/ticket",
  summary: "A one-time ticket for a stream whose client can send no headers: /v1/stream?ticket=…",
  responses: {
    201: {
      description: "The ticket, valid once and for 30 s",
      content: { "application/json": { schema: z.object({ ticket: z.string(), expires_at: z.iso.datetime() }) } },
    },
    ...writeFailures(),
  },
});

export function addStreamRoutes(app: HttpApp, { streams, follow, freshness, stopping, issueTicket }: StreamDeps): void {
  app.openapi(openStream, (c) => {
    // Its body would be opened and never read.
    if (c.req.raw.method === "HEAD")
      // Of a body without a length; else it would be said to have one of 0 (RFC 9110 §8.6).
      return new Response(null, { headers: { ...streamHeaders, "transfer-encoding": "chunked" } });
    // A browser that reconnects by itself repeats the address with its old cursor, and says the new one in the header.
    const seen = c.req.header("last-event-id") || c.req.query("cursor") || null;
    return streams.open(c.var.identity, seen, c.req.raw.signal);
  });

  app.openapi(sync, async (c) => {
    const { since, wait } = c.req.valid("query");
    const { userId } = c.var.identity;
    const leave = streams.admit(userId);
    try {
      const polled = await withEither([c.req.raw.signal, stopping], (signal) =>
        pollUpdates(follow, { userId, since: since ?? null, waitSeconds: wait, signal, freshness }),
      );
      const { items, ...rest } = polled;
      // The changes are JSON already; `c.json` would read and write them once more.
      const body = `{"items":[${items.join(",")}],${JSON.stringify(rest).slice(1)}`;
      return c.body(body, 200, { "content-type": "application/json" });
    } finally {
      leave();
    }
  });

  app.openapi(makeTicket, async (c) => {
    const { ticket, expiresAt } = await issueTicket(c.var.identity);
    return c.json({ ticket, expires_at: expiresAt.toISOString() }, 201);
  });
}
