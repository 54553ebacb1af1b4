import type { Identity } from "../../../shared/http/auth.ts";
import type { Metrics } from "../../../shared/role/metrics.ts";
import { Problem } from "../../../shared/problem.ts";
import { openConnection, type StreamConnection, type EndReason } from "./connection.ts";
import type { Freshness, StreamState } from "./freshness.ts";
import type { Follow, StreamFollower } from "./follow.ts";
import type { TimerWheel } from "./timer-wheel.ts";
import { heartbeatBytes, noticeBytes } from "./update-frame.ts";

type StreamLimits = Readonly<{
  /** So many streams, and so many polls beside them. */
  perUser: number;
  perInstance: number;
  maxWaitingBytes: number;
  heartbeatSeconds: number;
  /** A connection is closed between this age and half as much again, so that a vanished client is not kept for ever. */
  maxAgeSeconds: number;
}>;

export type StreamUser = Pick<Identity, "userId" | "sessionId" | "expiresAt">;

export type Streams = Readonly<{
  /**
   * Answers with a stream of server-sent events. Where the user has all they may have, one that its client does not
   * read, else the oldest, makes room: it is told `event: drain` with the reason `replaced`, and to come again in half
   * a minute or more, so that more live clients than there may be do not drive one another out. Rejects with
   * TOO_MANY_STREAMS where the instance is full or the user's are all just being opened, or UNAVAILABLE while not ready
   * or stopping.
   */
  open: (who: StreamUser, cursor: string | null, signal: AbortSignal) => Promise<Response>;
  /**
   * Counts a poll until what it returns is called. Throws TOO_MANY_STREAMS, or UNAVAILABLE while stopping. Polls end by
   * themselves, so none makes room for another, and none ends a stream.
   */
  admit: (userId: string) => () => void;
  /** Ends the streams of sessions that are over, with `event: auth`. */
  endSessions: (isOver: (who: StreamUser) => boolean) => void;
  /** Says goodbye to all, a part every 50 ms, and takes no new ones; resolves when the last has been told. */
  drain: (withinMs: number) => Promise<void>;
}>;

/** Nothing on the way may keep, collect or change what goes out. */
export const streamHeaders: Readonly<Record<string, string>> = {
  "content-type": "text/event-stream; charset=utf-8",
  "cache-control": "no-store, no-transform",
  "x-accel-buffering": "no",
  "x-content-type-options": "nosniff",
};

type OpenStream = { readonly connection: StreamConnection; readonly who: StreamUser; isFollowed: boolean };

export function makeStreams(options: {
  follow: Follow;
  freshness: Pick<Freshness, "state" | "watch">;
  wheel: TimerWheel;
  limits: StreamLimits;
  metrics: Metrics;
  now: () => Date;
}): Streams {
  const { follow, wheel, limits, now } = options;
  const meters = makeMeters(options.metrics);
  const open = makeByUser<OpenStream>();
  const polls = makeByUser<symbol>();
  let isDraining = false;
  const tellState = (connection: StreamConnection, state: StreamState) =>
    connection.put("state", noticeBytes("state", { state }));
  options.freshness.watch((state) => {
    for (const { connection } of open.all()) tellState(connection, state);
  });

  const refuseWhere = (isFull: boolean) => {
    if (isDraining) throw new Problem("UNAVAILABLE", "This instance is stopping", { retryAfterSeconds: 1 });
    if (isFull || open.size() + polls.size() >= limits.perInstance)
      throw new Problem("TOO_MANY_STREAMS", undefined, { retryAfterSeconds: 10 });
  };
  /**
   * A client that has vanished says nothing; all that is seen of it is that what is sent stays here, if anything is.
   */
  const makeRoom = (userId: string) => {
    const own = open.of(userId);
    if (own.size < limits.perUser) return;
    const followed = [...own].filter(({ isFollowed }) => isFollowed);
    const { connection } = followed.find((one) => one.connection.isBehind()) ?? followed[0] ?? {};
    const retryMs = jitter(30_000, 60_000);
    connection?.end("replaced", noticeBytes("drain", { reason: "replaced" }, { retryMs }));
  };

  return {
    admit: (userId) => {
      refuseWhere(polls.of(userId).size >= limits.perUser);
      const poll = Symbol("poll");
      polls.add(userId, poll);
      return () => polls.delete(userId, poll);
    },
    open: async (who, cursor, signal) => {
      if (!isDraining) makeRoom(who.userId);
      refuseWhere(open.of(who.userId).size >= limits.perUser);
      const timers = new Map<string, () => void>();
      let following: StreamFollower | null = null;
      const entry: OpenStream = {
        who,
        isFollowed: false,
        connection: openConnection({
          maxWaitingBytes: limits.maxWaitingBytes,
          onEnd: (reason) => {
            // One whose position is still being looked up counts until that is done, client or no client.
            if (entry.isFollowed) open.delete(who.userId, entry);
            following?.stop();
            for (const cancel of timers.values()) cancel();
            meters.ended(reason);
          },
        }),
      };
      const { connection } = entry;
      open.add(who.userId, entry);
      meters.opened();
      signal.addEventListener("abort", () => connection.end("gone"), { once: true });
      // It may have gone while it was being authenticated; the event is not repeated.
      if (signal.aborted) connection.end("gone");
      connection.put("retry", new TextEncoder().encode(`retry: ${jitter(1_000, 3_000)}\n\n`));
      try {
        following = await follow(who.userId, cursor, {
          change: (frame) => {
            // The second check of the two; the first is where the record is read.
            if (frame.userId !== who.userId) return meters.foreign();
            connection.put(frame.taskId, frame);
            meters.sent();
          },
          reset: (reason, at) => {
            connection.clear("state");
            connection.put("reset", noticeBytes("reset", { reason, cursor: at }, { id: at }));
            meters.reset(reason);
          },
          caughtUp: (at) => {
            if (at !== null) connection.put("cursor", noticeBytes("cursor", { cursor: at }, { id: at }));
          },
          stalled: () => connection.end("stalled"),
          room: connection.room,
          ended: connection.ended,
        });
      } catch (error) {
        connection.end("failed");
        throw error;
      } finally {
        entry.isFollowed = true;
        if (connection.ended()) open.delete(who.userId, entry);
      }
      if (options.freshness.state() === "stale") tellState(connection, "stale");
      if (connection.ended()) following.stop();
      else schedule(entry, following, timers);
      return new Response(connection.body, { headers: streamHeaders });
    },
    endSessions: (isOver) => {
      for (const { who, connection } of open.all())
        if (isOver(who)) connection.end("auth", noticeBytes("auth", { reason: "session-ended" }));
    },
    drain: async (withinMs) => {
      isDraining = true;
      const all = open.all();
      const steps = Math.max(1, Math.min(Math.ceil(all.length / 20), Math.floor(withinMs / 50)));
      const each = Math.ceil(all.length / steps);
      // Clients come back to the others spread over some seconds, not all at once.
      const spreadMs = Math.min(10_000, 500 + all.length * 5);
      for (let step = 0; step < steps; step++) {
        for (const { connection } of all.slice(step * each, (step + 1) * each))
          connection.end("drain", noticeBytes("drain", { reason: "stopping" }, { retryMs: jitter(100, spreadMs) }));
        await new Promise((resolve) => setTimeout(resolve, 50));
      }
    },
  };

  function schedule(
    { connection, who }: OpenStream,
    { cursor }: StreamFollower,
    timers: Map<string, () => void>,
  ): void {
    const cursorEvery = Math.max(1, Math.round(60 / limits.heartbeatSeconds));
    let beats = 0;
    const beat = () => {
      const at = ++beats % cursorEvery === 0 ? cursor() : null;
      if (at === null) connection.put("heartbeat", heartbeatBytes);
      else connection.put("cursor", noticeBytes("cursor", { cursor: at }, { id: at }));
      if (!connection.ended()) timers.set("beat", wheel.after(limits.heartbeatSeconds, beat));
    };
    timers.set("beat", wheel.after(limits.heartbeatSeconds, beat));
    const age = limits.maxAgeSeconds * (1 + Math.random() / 2);
    timers.set(
      "age",
      wheel.after(age, () =>
        connection.end("age", noticeBytes("drain", { reason: "age" }, { retryMs: jitter(0, 1_000) })),
      ),
    );
    const left = (who.expiresAt.getTime() - now().getTime()) / 1000;
    timers.set(
      "expiry",
      wheel.after(left, () => connection.end("auth", noticeBytes("auth", { reason: "expired" }))),
    );
  }
}

/** Things by their user, of each user in the order they came. */
function makeByUser<T>() {
  const users = new Map<string, Set<T>>();
  const none: ReadonlySet<T> = new Set();
  let size = 0;
  return {
    of: (userId: string): ReadonlySet<T> => users.get(userId) ?? none,
    all: () => [...users.values()].flatMap((own) => [...own]),
    size: () => size,
    add: (userId: string, one: T) => {
      users.set(userId, (users.get(userId) ?? new Set()).add(one));
      size++;
    },
    /** Once for each added. */
    delete: (userId: string, one: T) => {
      const own = users.get(userId);
      if (own?.delete(one) !== true) return;
      size--;
      if (own.size === 0) users.delete(userId);
    },
  };
}

function jitter(fromMs: number, toMs: number): number {
  return Math.round(fromMs + Math.random() * (toMs - fromMs));
}

function makeMeters(metrics: Metrics) {
  const open = metrics.gauge("gateway_streams", "Streams open now");
  const ended = metrics.counter("gateway_streams_ended_total", "Streams ended", ["reason"]);
  const sent = metrics.counter("gateway_changes_total", "Changes given to streams");
  const resets = metrics.counter("gateway_resets_total", "Clients told to read again", ["reason"]);
  const foreign = metrics.counter("gateway_foreign_changes_total", "Changes of another user kept from a stream");
  return {
    opened: () => open.inc(),
    ended: (reason: EndReason) => {
      open.dec();
      ended.inc({ reason });
    },
    sent: () => sent.inc(),
    reset: (reason: string) => resets.inc({ reason }),
    foreign: () => foreign.inc(),
  };
}
