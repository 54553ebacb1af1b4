import type { Db } from "../../shared/postgres/db.ts";
import { deriveId } from "../../shared/messages/derive-id.ts";
import { makeLog } from "../../shared/role/log.ts";
import type { Message, ReceivedMessage } from "../../shared/messages/message.ts";
import { makeMetrics } from "../../shared/role/metrics.ts";
import type { TaskCreated } from "../../shared/messages/records.ts";
import { dueRows, type Wakeup } from "../../shared/timers/due-rows.ts";
import { buildApp } from "../../workers/recurring-task-worker/app.ts";
import { makeChangeOccurrence } from "../../workers/recurring-task-worker/change-occurrence.ts";
import { makeFireSeries } from "../../workers/recurring-task-worker/fire-series.ts";
import { followTasks } from "../../workers/recurring-task-worker/follow-tasks.ts";
import { openTestDb } from "../support/database.ts";
import { taskCreated } from "../support/task-created.ts";

export const ada = "0193a0b0-0000-7000-8000-0000000000aa";
export const ben = "0193a0b0-0000-7000-8000-0000000000bb";
const log = makeLog({}, "error");
const encode = (type: string, data: object) => new TextEncoder().encode(`${type} ${JSON.stringify(data)}`);

/** The local start as UTC's clocks show it. */
export const local = (at: Date) => at.toISOString().slice(0, 19);
export const inHours = (hours: number) => new Date(Math.floor(Date.now() / 1000) * 1000 + hours * 3_600_000);

/** Looked into freely, as what `JSON.parse` gives. */
type Json = ReturnType<JSON["parse"]>;
type Answered = Readonly<{ status: number; etag: string | null; body: Json }>;

/** The recurring task worker on a database of its own, its HTTP side included. */
export async function openSeriesWorld() {
  const db: Db = await openTestDb();
  const fire = (batch: readonly Wakeup[]) => makeFireSeries({ db, codec: { encode }, onWritten: () => {} })(batch);
  const app = buildApp({
    db,
    changeOccurrence: makeChangeOccurrence({ db, codec: { encode }, onWritten: () => {} }),
    authenticate: async (request) => ({
      userId: request.headers.get("authorization") ?? ada,
      sessionId: "s",
      expiresAt: new Date(8e15),
      via: "bearer",
    }),
    newId: () => Bun.randomUUIDv7(),
    now: () => new Date(),
    log,
    metrics: makeMetrics("test", { process: false }),
  });
  const dueTimers = async (id: string) => {
    const all = await dueRows(db, { table: "series", due: "wake_at", fire }).overdue({
      graceMs: 0,
      after: null,
      limit: 500,
    });
    return all.filter((timer) => timer.id === id);
  };
  return {
    db,
    hear: (messages: readonly ReceivedMessage[]): Promise<readonly Message[]> =>
      db.transaction(async (tx) =>
        (await followTasks(messages, { tx, signal: new AbortController().signal, log, now: new Date() })).flat(),
      ),
    /** Fires the series' timer as often as it is due. */
    fireDue: async (id: string) => {
      for (let due = await dueTimers(id); due.length > 0; due = await dueTimers(id)) await fire(due);
    },
    /** The answer as it is, to a request of Ada's. */
    request: async (
      path: string,
      { headers = {}, signal }: { headers?: Record<string, string>; signal?: AbortSignal },
    ) =>
      app.request(path, { headers: { authorization: ada, ...headers }, ...(signal === undefined ? {} : { signal }) }),
    send: async (
      method: string,
      path: string,
      { body, as = ada, ifMatch, signal }: { body?: unknown; as?: string; ifMatch?: string; signal?: AbortSignal } = {},
    ): Promise<Answered> => {
      const answer = await app.request(path, {
        method,
        ...(signal === undefined ? {} : { signal }),
        headers: {
          authorization: as,
          ...(body === undefined ? {} : { "content-type": "application/json" }),
          ...(ifMatch === undefined ? {} : { "if-match": ifMatch }),
        },
        ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      });
      return {
        status: answer.status,
        etag: answer.headers.get("etag"),
        body: JSON.parse((await answer.text()) || "null"),
      };
    },
    occurrencesOf: async (id: string) => [
      ...(await db.sql<{ id: string; recurrence_id: string; state: string; number: number; ahead: boolean }[]>`
        select id, recurrence_id, state, number, ahead from occurrences where series_id = ${id} order by number`),
    ],
    /** What was asked of the task service by timers and requests, in order. */
    commandsOf: async (id: string) => {
      const rows = await db.sql<{ type: string; value: Uint8Array }[]>`
        select type, value from outbox where topic = 'task-commands' and key = ${id} order by id`;
      return rows.map(({ type, value }): Json => {
        const text = new TextDecoder().decode(value);
        return { type, ...JSON.parse(text.slice(text.indexOf(" "))) };
      });
    },
    [Symbol.asyncDispose]: async () => {
      await db[Symbol.asyncDispose]();
    },
  };
}
export type SeriesWorld = Awaited<ReturnType<typeof openSeriesWorld>>;

export const idOf = (template: string, recurrenceId: string) => deriveId("occurrence", template, recurrenceId);

function message(type: string, subject: string, sequence: number, data: object): ReceivedMessage {
  const of = { type, subject, key: subject, sequence, data, id: Bun.randomUUIDv7(), time: new Date() };
  const where = { topic: "task-events", partition: 0, offset: 0n, timestamp: 0, value: new Uint8Array(), headers: [] };
  const envelope = { source: "task-service", correlationId: "test", causationId: null, traceparent: null };
  // Built by hand from parts that fit together.
  return { ...of, ...where, ...envelope } as unknown as ReceivedMessage;
}

export function created(id: string, recurrence: object | null, over: Partial<TaskCreated> = {}): ReceivedMessage {
  const recurrence_pattern = recurrence === null ? null : JSON.stringify(recurrence);
  return message(
    "TaskCreated",
    id,
    1,
    taskCreated({
      id,
      user_id: ada,
      title: "Water the plants",
      created_at: new Date(),
      is_recurring_template: recurrence !== null,
      recurrence_pattern,
      ...over,
    }),
  );
}
export function completed(id: string, version: number, at = new Date()): ReceivedMessage {
  return message("TaskCompleted", id, version, { id, user_id: ada, completed_at: at });
}
export function deleted(id: string, version: number, at = new Date()): ReceivedMessage {
  return message("TaskDeleted", id, version, { id, user_id: ada, deleted_at: at });
}
export function updated(id: string, version: number, updated_fields: object, at = new Date()): ReceivedMessage {
  return message("TaskUpdated", id, version, { id, user_id: ada, updated_fields, timestamp: at });
}
