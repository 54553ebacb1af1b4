import type { Db } from "../../shared/postgres/db.ts";
import { insertOutbox, outboxRow, type Encoder } from "../../shared/outbox/outbox.ts";
import { redecideWanted } from "./decide-wanted.ts";
import { loadStanding } from "./load-standing.ts";
import { lockWantedAfter, saveWanted } from "./store-wanted.ts";
import { askFor } from "./want-reminders.ts";

type RedecideOptions = Readonly<{
  db: Db;
  codec: Encoder;
  now: () => Date;
  /** Called after a commit that wrote to the outbox. */
  notify: () => void;
  /** Tasks in a transaction; 500 by default. */
  limit?: number;
}>;

/** `correlationId` and `traceparent`: of the request that changed them. */
type WaitingUser = Readonly<{
  userId: string;
  version: number;
  after: string;
  correlationId: string | null;
  traceparent: string | null;
}>;

/**
 * Decides up to `limit` tasks of a user again whose preferences have changed; false when no user waits. It picks any of
 * the users who wait, so neither one with many tasks nor one whose tasks cannot be decided keeps the others waiting.
 * The same commit stores how far it came: it can be cut off anywhere and go on in any instance. Two at once on one user
 * do some work twice and send nothing twice.
 */
export async function redecideTasks({ db, codec, now, notify, limit = 500 }: RedecideOptions): Promise<boolean> {
  const [next] = await db.sql<WaitingUser[]>`
    select user_id as "userId", version::float8 as version, redecide_after as after,
      redecide_correlation_id as "correlationId", redecide_traceparent as traceparent
    from preferences
    where redecide_after is not null order by random() limit 1`;
  if (next === undefined) return false;
  const { userId, version, after, correlationId, traceparent } = next;
  const asked = await db.transaction(async (tx) => {
    const states = await lockWantedAfter(tx, { userId, after, limit });
    const standing = (await loadStanding(tx, [userId])).get(userId);
    if (standing === undefined) return 0;
    const decided = [...states].map(([id, before]) => {
      const { state, command } = redecideWanted(before, standing.settings, standing.updatedAt);
      return { id, before, state, messages: command === null ? [] : [askFor(command, state)] };
    });
    await saveWanted(
      tx,
      new Map(decided.flatMap(({ id, before, state }) => (state === before ? [] : [[id, state] as const]))),
    );
    const by = {
      source: "reminder-scheduling-worker",
      correlationId: correlationId ?? userId,
      traceparent,
      now: now(),
    } as const;
    const rows = decided.flatMap(({ messages }) => messages.map((message) => outboxRow(codec, message, by)));
    await insertOutbox(tx, rows);
    const last = [...states.keys()].at(-1);
    // With a version newer than the one before the rows were read, a task decided by that one meanwhile may not be
    // among them.
    await tx`
      update preferences set redecide_after = ${states.size < limit ? null : (last ?? null)}
      where user_id = ${userId} and version = ${version} and redecide_after = ${after}`;
    return rows.length;
  });
  if (asked > 0) notify();
  return true;
}
