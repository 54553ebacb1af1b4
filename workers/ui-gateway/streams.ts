import type { Identity } from "../../shared/http/auth.ts";
import type { Metrics } from "../../shared/metrics.ts";
import { Problem } from "../../shared/problem.ts";
import { openConnection, type Connection, type EndReason } from "./connection.ts";
import type { Follow, Following } from "./follow.ts";
import type { TimerWheel } from "./timer-wheel.ts";
import { heartbeatBytes, noticeBytes } from "./update-frame.ts";

export type StreamLimits = Readonly<{
  perUser: number;
  perInstance: number;
  maxWaitingBytes: number;
  heartbeatSeconds: number;
  /** A connection is closed between this age and half as much again, so that a vanished client is not kept for ever. */
  maxAgeSeconds: number;
}>;

export type Who = Pick<Identity, "userId" | "sessionId" | "expiresAt">;

export type Streams = Readonly<{
  /** Answers with a stream of server-sent events. Rejects with TOO_MANY_STREAMS, or UNAVAILABLE while not ready or stopping. */
  open: (who: Who, cursor: string | null, signal: AbortSignal) => Promise<Response>;
  /** Counts something else that follows a user, a poll, as a stream; returns the way to end that. Throws as `open` rejects. */
  admit: (userId: string) => () => void;
  /** Ends the streams of sessions that are over, with `event: auth`. */
  endSessions: (isOver: (who: Who) => boolean) => void;
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

type Open = Readonly<{ connection: Connection; who: Who }>;

export function makeStreams(options: {
  follow: Follow;
  wheel: TimerWheel;
  limits: StreamLimits;
  metrics: Metrics;
  now: () => Date;
}): Streams {
  const { follow, wheel, limits, now } = options;
  const meters = makeMeters(options.metrics);
  const open = new Set<Open>();
  let total = 0;
  const perUser = new Map<string, number>();
  let isDraining = false;

  const count = (userId: string, by: 1 | -1) => {
    total += by;
    const left = (perUser.get(userId) ?? 0) + by;
    if (left > 0) perUser.set(userId, left);
    else perUser.delete(userId);
  };
  const admit = (userId: string) => {
    if (isDraining) throw new Problem("UNAVAILABLE", "This instance is stopping", { retryAfterSeconds: 1 });
    if (total >= limits.perInstance || (perUser.get(userId) ?? 0) >= limits.perUser)
      throw new Problem("TOO_MANY_STREAMS", undefined, { retryAfterSeconds: 10 });
    count(userId, 1);
    return () => count(userId, -1);
  };

  return {
    admit,
    open: async (who, cursor, signal) => {
      const leave = admit(who.userId);
      const timers = new Map<string, () => void>();
      let following: Following | null = null;
      const entry: Open = {
        who,
        connection: openConnection({
          maxWaitingBytes: limits.maxWaitingBytes,
          onEnd: (reason) => {
            open.delete(entry);
            leave();
            following?.stop();
            for (const cancel of timers.values()) cancel();
            meters.ended(reason);
          },
        }),
      };
      const { connection } = entry;
      open.add(entry);
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
            connection.put(frame.taskId, frame.bytes);
            meters.sent();
          },
          reset: (reason, at) => {
            connection.clear();
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
      }
      if (connection.ended()) following.stop();
      else schedule(entry, following, timers);
      return new Response(connection.body, { headers: streamHeaders });
    },
    endSessions: (isOver) => {
      for (const { who, connection } of open)
        if (isOver(who)) connection.end("auth", noticeBytes("auth", { reason: "session-ended" }));
    },
    drain: async (withinMs) => {
      isDraining = true;
      const all = [...open];
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

  function schedule({ connection, who }: Open, { cursor }: Following, timers: Map<string, () => void>): void {
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
