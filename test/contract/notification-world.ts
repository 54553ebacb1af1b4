import { makeLog } from "../../shared/role/log.ts";
import type { ReceivedMessage } from "../../shared/messages/message.ts";
import { makeMetrics } from "../../shared/role/metrics.ts";
import type { Db } from "../../shared/postgres/db.ts";
import { preferencesInput } from "../../shared/preferences/preferences.ts";
import { buildApp } from "../../workers/notification-service/app.ts";
import type { Notification, SendOutcome } from "../../workers/notification-service/channels/channel.ts";
import type { Channel, ChannelName, TestEndpoint } from "../../workers/notification-service/channels/channels.ts";
import { sendDeliveries, type SendDeliveries } from "../../workers/notification-service/send/send-deliveries.ts";
import { makeWakes } from "../../workers/notification-service/send/wakes.ts";
import { makeWriteDeliveries } from "../../workers/notification-service/plan/write-deliveries.ts";
import { openTestDb } from "../support/database.ts";
import { until } from "../support/until.ts";

type Row = Readonly<{
  id: string;
  kind: string;
  channel: string;
  target: string;
  status: string;
  reason: string | null;
  attempts: number;
  late_by: number | null;
  last_error: string | null;
  title: string | null;
  possibly_duplicated: boolean;
  digest_id: string | null;
  fallback_of: string | null;
  read_at: Date | null;
}>;

export type NotificationWorld = Awaited<ReturnType<typeof openNotificationWorld>>;

export const secret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
const log = makeLog({}, "error");
export const quickPolicy = { baseMs: 1, capMs: 5, maxAttempts: 3, forMs: 60_000 };
const quick: Omit<SendDeliveries, "db" | "channel" | "wake" | "wakeOf"> = {
  leaseMs: 5_000,
  /** Longer than the hearing of what belongs together takes. */
  collapseMs: 1_500,
  paceMs: 0,
  breaker: { threshold: 3, baseMs: 50, capMs: 100, disableAfterMs: 3_600_000 },
  policyOf: () => quickPolicy,
};

/** The notification service's own tables, handler, senders and routes on a database of their own; no Kafka. */
export async function openNotificationWorld() {
  const db = await openTestDb();
  const metrics = makeMetrics("test", { process: false });
  const handler = makeWriteDeliveries({
    operatorWays: [],
    collapseMs: quick.collapseMs,
    onWritten: () => {},
    metrics,
  });

  /** Handles a batch as the consumer would, in one transaction. */
  const hear = (...messages: ReceivedMessage[]) =>
    db.transaction((tx) => handler(messages, { tx, signal: AbortSignal.timeout(10_000), log, now: new Date() }));

  /** A user who said what they want. */
  const newUser = async (settings: Record<string, unknown>): Promise<string> => {
    const userId = Bun.randomUUIDv7();
    await prefer(userId, settings);
    return userId;
  };
  const prefer = async (userId: string, settings: Record<string, unknown>) => {
    const text = JSON.stringify(preferencesInput.parse(settings));
    await db.sql`
      insert into preferences (user_id, settings) values (${userId}, ${text}::jsonb)
      on conflict (user_id) do update set settings = excluded.settings, version = preferences.version + 1, updated_at = clock_timestamp()`;
  };

  const rowsOf = async (userId: string): Promise<readonly Row[]> => [
    ...(await db.sql<Row[]>`
      select id, kind, channel, target, status, reason, attempts, late_by, last_error, title, possibly_duplicated, digest_id,
        fallback_of, read_at
      from deliveries where user_id = ${userId} order by coalesce(remind_at, triggered_at), created_at, id`),
  ];
  const settled = (userId: string) =>
    until(
      "everything of the user is settled",
      async () => {
        const rows = await rowsOf(userId);
        return rows.every(({ status }) => !["pending", "sending", "bundled"].includes(status)) && rows;
      },
      { timeoutMs: 15_000 },
    );

  /** Starts senders of these channels, as one process of the role. */
  const startSenders = (channels: readonly Channel[], options: Partial<SendDeliveries> = {}) => {
    const stop = new AbortController();
    const metrics = makeMetrics("test", { process: false });
    const wakes = makeWakes(channels.map(({ name }) => name));
    const role = { signal: stop.signal, log, metrics, now: () => new Date(), tellOutage: () => {} };
    const running = Promise.all(
      channels.map((channel) =>
        sendDeliveries({ ...quick, db, channel, wake: wakes.to(channel.name), wakeOf: wakes.of, ...options }, role),
      ),
    );
    return {
      metrics,
      wakes,
      [Symbol.asyncDispose]: async () => {
        stop.abort();
        await running;
      },
    };
  };

  const appFor = (userId: string, sendTest: TestEndpoint = () => Promise.resolve({ outcome: "delivered" })) =>
    buildApp({
      db,
      authenticate: () =>
        Promise.resolve({ userId, sessionId: "s", expiresAt: new Date(Date.now() + 60_000), via: "bearer" as const }),
      newId: () => Bun.randomUUIDv7(),
      log,
      metrics: makeMetrics("test", { process: false }),
      sendTest,
      onResent: () => {},
    });

  return {
    db: db as Db,
    hear,
    /** Of what it heard. */
    metrics,
    newUser,
    prefer,
    rowsOf,
    settled,
    startSenders,
    appFor,
    [Symbol.asyncDispose]: async () => {
      await db[Symbol.asyncDispose]();
    },
  };
}

/** A channel that keeps what it was given and answers as told, delivered by default. */
export function scripted(
  name: ChannelName,
  answer: (notification: Notification, attempt: number) => SendOutcome | Promise<SendOutcome> = () => ({
    outcome: "delivered",
  }),
  more: Pick<Channel, "hourly"> = {},
) {
  const sent: Notification[] = [];
  const channel: Channel = {
    name,
    ...more,
    send: async (notification, attempt) => {
      sent.push(notification);
      return answer(notification, attempt);
    },
  };
  return { channel, sent, titles: () => sent.map(({ reminders }) => reminders.map(({ title }) => title).join(", ")) };
}

type Firing = Readonly<{
  userId: string;
  title?: string;
  lateSeconds?: number;
  priority?: "Low" | "Medium" | "High";
  reminderId?: string;
  taskId?: string;
  generation?: number;
}>;

/** A reminder of a user that has just fired. */
export function triggered(of: Firing): ReceivedMessage {
  const [id, task_id] = [of.reminderId ?? Bun.randomUUIDv7(), of.taskId ?? Bun.randomUUIDv7()];
  const now = new Date();
  return {
    ...envelope(task_id, id, now),
    type: "ReminderTriggered",
    data: {
      id,
      task_id,
      user_id: of.userId,
      triggered_at: now,
      generation: of.generation ?? 1,
      remind_at: new Date(now.getTime() - (of.lateSeconds ?? 0) * 1000),
      title: of.title ?? "Water the plants",
      rule: null,
      priority: of.priority ?? null,
    },
  };
}

export function dismissed({ data }: ReceivedMessage, reason = "user"): ReceivedMessage {
  const { id, task_id, user_id, generation } = of(data);
  const now = new Date();
  return {
    ...envelope(task_id, id, now),
    type: "ReminderDismissed",
    data: { id, task_id, user_id, generation, reason, dismissed_at: now },
  };
}

/** The same reminder, scheduled once more. */
export function scheduledAnew({ data }: ReceivedMessage): ReceivedMessage {
  const { id, task_id, user_id, generation } = of(data);
  const now = new Date();
  return {
    ...envelope(task_id, id, now),
    type: "ReminderScheduled",
    data: {
      id,
      task_id,
      user_id,
      generation: generation + 1,
      remind_at: new Date(now.getTime() + 60_000),
      status: "pending",
      rule: null,
      snoozed_from: null,
      drop_after: null,
    },
  };
}

/** The ids of a firing. */
export function of(data: ReceivedMessage["data"]): {
  id: string;
  task_id: string;
  user_id: string;
  generation: number;
} {
  if (!("triggered_at" in data)) throw new Error("not a firing");
  return { id: data.id, task_id: data.task_id, user_id: data.user_id, generation: data.generation ?? 0 };
}

function envelope(task_id: string, id: string, now: Date) {
  return {
    key: task_id,
    subject: id,
    sequence: 2,
    id: Bun.randomUUIDv7(),
    time: now,
    source: "reminder-service",
    correlationId: "test",
    causationId: null,
    traceparent: null,
    topic: "reminders",
    partition: 0,
    offset: 0n,
    timestamp: 0,
    value: new Uint8Array(),
    headers: [],
  } as const;
}
