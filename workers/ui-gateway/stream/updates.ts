import type { Broker } from "../../../shared/messages/broker.ts";
import type { Codec } from "../../../shared/avro/codec.ts";
import { integer, type Config } from "../../../shared/role/config.ts";
import type { Db } from "../../../shared/postgres/db.ts";
import type { Role } from "../../../shared/role/role.ts";
import { makeFollow, type Follow } from "./follow.ts";
import { makeFreshness, type Freshness } from "./freshness.ts";
import { makeHub, type Hub } from "./hub.ts";
import { makeFrameReader } from "./read-frame.ts";
import { makeReadLog } from "./read-log.ts";
import { makeReplayBudget } from "./replay-budget.ts";
import { makeStreams, type Streams } from "./streams.ts";
import { tailUpdates } from "./tail-updates.ts";
import { startTimerWheel } from "./timer-wheel.ts";

export const updateSettings = {
  streamsPerUser: integer("STREAMS_PER_USER", 20, { min: 1, max: 10_000 }),
  streamsPerInstance: integer("STREAMS_PER_INSTANCE", 10_000, { min: 1, max: 1_000_000 }),
  /** Waiting bytes beyond which a slow client is closed; it comes back with its last id. */
  streamBufferBytes: integer("STREAM_BUFFER_BYTES", 262_144, { min: 1_024, max: 67_108_864 }),
  streamHeartbeatSeconds: integer("STREAM_HEARTBEAT_SECONDS", 15, { min: 1, max: 60 }),
  /** Streams end between this age and half as much again. */
  streamMaxAgeSeconds: integer("STREAM_MAX_AGE_SECONDS", 600, { min: 1, max: 86_400 }),
  /** Per partition, in memory. */
  ringRecords: integer("STREAM_RING_RECORDS", 5_000, { min: 1, max: 1_000_000 }),
  ringBytes: integer("STREAM_RING_BYTES", 8_388_608, { min: 1_024, max: 1_073_741_824 }),
  /** Further behind than this many records, a client reads its lists again instead. */
  maxReplay: integer("STREAM_MAX_REPLAY", 50_000, { min: 0, max: 10_000_000 }),
};

type Updates = Disposable &
  Readonly<{
    hub: Hub;
    streams: Streams;
    follow: Follow;
    freshness: Freshness;
    /** Reads task-updates until the role stops, then says goodbye to all streams. */
    run: () => Promise<void>;
  }>;

type UpdatesDeps = Readonly<{
  settings: Config<typeof updateSettings>;
  broker: Pick<Broker, "tail" | "admin">;
  codec: Codec;
  db: Pick<Db, "sql">;
}>;

/** Composes everything between the topic and the sockets. */
export function openUpdates({ settings, broker, codec, db }: UpdatesDeps, role: Role): Updates {
  const { log, metrics, now } = role;
  const dropped = metrics.counter("gateway_records_dropped_total", "Records of task-updates shown to nobody", [
    "reason",
  ]);
  const delay = metrics.histogram(
    "gateway_delay_seconds",
    "From a record's timestamp until its user's streams have it",
  );
  const replayed = metrics.counter(
    "gateway_replayed_records_total",
    "Records read from the log again, per user behind",
  );
  metrics.gauge("gateway_streams_limit", "Streams an instance takes").set(settings.streamsPerInstance);
  const ringBytes = metrics.gauge("gateway_ring_bytes", "Bytes of recent changes in memory");
  const heardAge = metrics.gauge(
    "gateway_heard_age_seconds",
    "Since Kafka was last heard of, by the partition longest ago",
  );
  const freshness = makeFreshness();
  const countDropped = (reason: string) => dropped.inc({ reason });
  const wheel = startTimerWheel();
  // Outlives the role's signal a little: streams are told goodbye while their changes still come.
  const stop = new AbortController();

  const hub = makeHub({ ring: { maxRecords: settings.ringRecords, maxBytes: settings.ringBytes }, countDropped });
  const readFrame = makeFrameReader({ codec, log, countDropped });
  const budget = makeReplayBudget({ records: settings.maxReplay, now });
  const charge = (userId: string, records: number) => {
    replayed.inc(records);
    budget.charge(userId, records);
  };
  const readLog = makeReadLog({ tail: broker.tail, readFrame, epoch: hub.epoch, charge, log, signal: stop.signal });
  const follow = makeFollow({
    hub,
    readLog,
    admin: broker.admin,
    maxReplay: BigInt(settings.maxReplay),
    admitReplay: budget.admit,
  });
  const streams = makeStreams({
    follow,
    freshness,
    wheel,
    limits: {
      perUser: settings.streamsPerUser,
      perInstance: settings.streamsPerInstance,
      maxWaitingBytes: settings.streamBufferBytes,
      heartbeatSeconds: settings.streamHeartbeatSeconds,
      maxAgeSeconds: settings.streamMaxAgeSeconds,
    },
    metrics,
    now,
  });
  const readEpoch = async () => {
    const [row] = await db.sql<{ epoch: string }[]>`select epoch from stream_epoch where topic = 'task-updates'`;
    if (row === undefined) throw new Error("task-updates has no epoch: run `ops topics apply`");
    return row.epoch;
  };
  role.readyWhen("updates", hub.isLive);
  role.readyWhen("updates heard of", freshness.isFresh);
  const measure = () => {
    ringBytes.set(hub.ringBytes());
    wheel.after(10, measure);
  };
  measure();
  const look = () => {
    freshness.look();
    heardAge.set(freshness.ageSeconds());
    wheel.after(1, look);
  };
  look();

  return {
    hub,
    streams,
    follow,
    freshness,
    run: async () => {
      const warmRecords = BigInt(settings.ringRecords);
      const onGiven = ({ timestamp }: { timestamp: number }) =>
        delay.observe(Math.max(0, (now().getTime() - timestamp) / 1000));
      const tailing = tailUpdates({
        broker,
        hub,
        readFrame,
        readEpoch,
        warmRecords,
        onGiven,
        freshness,
        log,
        signal: stop.signal,
      });
      if (!role.signal.aborted)
        await new Promise((resolve) => role.signal.addEventListener("abort", resolve, { once: true }));
      await streams.drain(3_000);
      stop.abort();
      await tailing;
    },
    [Symbol.dispose]: () => {
      stop.abort();
      wheel[Symbol.dispose]();
    },
  };
}
