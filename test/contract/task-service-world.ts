import { openDb, type Db } from "../../shared/postgres/db.ts";
import { makeLog } from "../../shared/role/log.ts";
import { makeMetrics } from "../../shared/role/metrics.ts";
import { outboxRow, type Encoder } from "../../shared/outbox/outbox.ts";
import { Problem } from "../../shared/problem.ts";
import { recordEncodeFailure } from "../../workers/task-service/record-encode-failure.ts";
import { buildApp } from "../../workers/task-service/app.ts";
import { makeEncodeEvent } from "../../workers/task-service/encode-event.ts";
import { makeBatches } from "../../workers/task-service/make-batches.ts";
import { makeOneAtATime } from "../../workers/task-service/one-at-a-time.ts";
import { taskReaders } from "../../workers/task-service/task-readers.ts";
import { findForChange, readKept } from "../../workers/task-service/read-tasks.ts";
import { keepAnswer, storeChange } from "../../workers/task-service/store-change.ts";
import { storeCreates } from "../../workers/task-service/store-creates.ts";
import { openTaskQuota } from "../../workers/task-service/task-quota.ts";
import { taskTransactions } from "../../workers/task-service/task-transactions.ts";
import type { WriteDeps } from "../../workers/task-service/write-task.ts";
import { freshDatabase } from "../support/database.ts";

export const ada = "0190a000-0000-7000-8000-00000000000a";
export const ben = "0190a000-0000-7000-8000-00000000000b";

export type Task = Readonly<Record<string, unknown>> & Readonly<{ id: string; version: number; title: string }>;
export type Answered = Readonly<{
  status: number;
  headers: Headers;
  body: Task & { items: Task[]; next_cursor: string | null; count?: number; filter_words?: string };
}>;
type Send = (
  method: string,
  path: string,
  more?: Readonly<{ body?: unknown; as?: string; key?: string; ifMatch?: string; headers?: Record<string, string> }>,
) => Promise<Answered>;
export type World = AsyncDisposable &
  Readonly<{
    db: Db;
    write: WriteDeps;
    send: Send;
    /** A read whose answer is not JSON. */
    request: (path: string, as: string) => Promise<Response>;
    /** A second process on the same database: it shares nothing else. */
    another: () => Promise<Send>;
    events: () => Promise<
      readonly Readonly<{ type: string; subject: string; sequence: number; topic: string; data: Task }>[]
    >;
    notified: () => number;
  }>;

/** Events as JSON: the statements do not look inside. A title of "unencodable" fails as a bug in the encoder would. */
const encoder: Encoder = {
  encode: (_type, data) => {
    if ("title" in data && data.title === "unencodable") throw new Problem("INTERNAL", "planted");
    return Buffer.from(JSON.stringify(data));
  },
};

/** The app of the role on a database of its own; the one who asks is whoever the bearer token names. */
export async function openWorld(
  quota: Parameters<typeof openTaskQuota>[0] = { openTasks: 0, tasks: 0, templates: 0 },
  now: () => Date = () => new Date(),
): Promise<World> {
  const database = await freshDatabase();
  const log = makeLog({}, "error", () => {});
  let notified = 0;
  const opened: Db[] = [];
  const process = async (): Promise<Readonly<{ db: Db; send: Send; write: WriteDeps }> & Pick<World, "request">> => {
    const db = await openDb({ url: database.url, directUrl: null, statementMs: 10_000 }, { role: "task-service", log });
    opened.push(db);
    const notify = () => void (notified += 1);
    const write: WriteDeps = {
      now,
      notify,
      encode: makeEncodeEvent({
        outboxRow: (message, by) => outboxRow(encoder, message, by),
        recordFailure: (failed) => recordEncodeFailure(db.sql, failed),
        notify,
        log,
      }),
      create: makeBatches(storeCreates(db), { maxItems: 256, inFlight: 2, maxWaiting: 1000 }),
      readKept: readKept(db),
      findForChange: findForChange(db),
      storeChange: storeChange(db),
      keepAnswer: keepAnswer(db),
      quota: openTaskQuota(quota, db),
    };
    const app = buildApp({
      http: {
        version: "test",
        authenticate: async (request) => ({
          userId: request.headers.get("authorization") ?? ada,
          sessionId: "s",
          expiresAt: new Date(0),
          via: "bearer",
        }),
        newId: () => Bun.randomUUIDv7(),
        log,
        metrics: makeMetrics("task-service", { process: false }),
      },
      write,
      ...taskTransactions(db),
      newId: (now) => Bun.randomUUIDv7("hex", now),
      ...taskReaders(db),
      oneAtATime: makeOneAtATime(),
    });
    const send: Send = async (method, path, { body, as = ada, key, ifMatch, headers = {} } = {}) => {
      const answer = await app.request(path, {
        method,
        headers: {
          authorization: as,
          ...(body === undefined ? {} : { "content-type": "application/json" }),
          ...(key === undefined ? {} : { "idempotency-key": key }),
          ...(ifMatch === undefined ? {} : { "if-match": ifMatch }),
          ...headers,
        },
        ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      });
      const text = await answer.text();
      return { status: answer.status, headers: answer.headers, body: text === "" ? null : JSON.parse(text) };
    };
    const request = async (path: string, as: string) => app.request(path, { headers: { authorization: as } });
    return { db, send, request, write };
  };
  const { db, send, request, write } = await process();
  return {
    db,
    write,
    send,
    request,
    another: async () => (await process()).send,
    notified: () => notified,
    events: async () => {
      const rows = await db.sql<
        { type: string; subject: string; sequence: string; topic: string; value: Uint8Array }[]
      >`
        select type, subject, sequence, topic, value from outbox order by id`;
      return rows.map(({ value, sequence, ...row }) => ({
        ...row,
        sequence: Number(sequence),
        data: JSON.parse(new TextDecoder().decode(value)),
      }));
    },
    [Symbol.asyncDispose]: async () => {
      for (const each of opened) await each[Symbol.asyncDispose]();
      await database[Symbol.asyncDispose]();
    },
  };
}
