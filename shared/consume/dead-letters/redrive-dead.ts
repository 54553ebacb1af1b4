import type { Db, Tx } from "../../postgres/db.ts";
import type { GroupName } from "../../messages/topics.ts";
import { controlsChannel } from "../controls.ts";
import { openGroup, shareGroup } from "../group-epoch.ts";

/** How often one dead letter may be redriven. */
export const maxRedrives = 5;

export type SkippedDeadLetter = Readonly<{
  id: string;
  /**
   * `over_cap`: redriven too often. `already`: this redrive has moved it before. `not_dead`: it is not dead (any more),
   * or of an older inbox epoch.
   */
  why: "over_cap" | "already" | "not_dead" | "unknown" | "no_key";
}>;

type RedriveOutcome = Readonly<{ moved: readonly string[]; skipped: readonly SkippedDeadLetter[] }>;

type Redrive = Readonly<{
  group: GroupName;
  /** Of dead letters, in any order; those of a key come back in the order of the log. */
  ids: readonly string[];
  /** The same for every call of one redrive: what it has moved is not moved again, whatever became of it. */
  redriveId: string;
  by: string;
  /** `maxRedrives` by default. */
  cap?: number;
}>;

/**
 * Redrives dead letters: puts them back into the parked queues of the group that gave them up, where its consumers
 * handle them. One transaction per key, so a call that was cut off can be repeated. The letters of a key are queued in
 * the order of the log, behind messages that wait there already.
 */
export async function redriveDead(db: Pick<Db, "sql" | "transaction">, of: Redrive): Promise<RedriveOutcome> {
  const epoch = await openGroup(db.sql, of.group);
  const found = await db.sql<{ id: string; topic: string; key: string | null }[]>`
    select id, topic, key from dead_letters where group_name = ${of.group} and id = any(${[...of.ids]}::uuid[])
    order by topic, key, dead_at, id`;
  const known = new Set(found.map(({ id }) => id));
  const skipped: SkippedDeadLetter[] = of.ids
    .filter((id) => !known.has(id.toLowerCase()))
    .map((id) => ({ id, why: "unknown" as const }));
  const moved: string[] = [];
  const queues = Map.groupBy(found, ({ topic, key }) => JSON.stringify([topic, key]));
  for (const letters of queues.values()) {
    const ids = letters.map(({ id }) => id);
    const first = letters[0];
    if (first === undefined) continue;
    if (first.key === null) skipped.push(...ids.map((id) => ({ id, why: "no_key" as const })));
    else {
      const at = { epoch, topic: first.topic, key: first.key, ids };
      const result = await db.transaction((tx) => moveBack(tx, of, at));
      moved.push(...result.moved);
      skipped.push(...result.skipped);
    }
  }
  if (moved.length > 0) await db.sql`select pg_notify(${controlsChannel}, '')`;
  return { moved, skipped };
}

type DeadLetterRow = Readonly<{
  id: string;
  message_id: string;
  time: string;
  state: string;
  redrives: number;
  last_redrive: string | null;
}>;

async function moveBack(
  tx: Tx,
  of: Redrive,
  at: Readonly<{ epoch: number; topic: string; key: string; ids: readonly string[] }>,
): Promise<RedriveOutcome> {
  await shareGroup(tx, of.group, at.epoch);
  await lockKey(tx, at, of.by);
  // Under the key's lock nobody else changes these: neither a consumer that gives one up nor another redrive.
  const letters = await tx<DeadLetterRow[]>`
    select id, message_id, time::text as time, state, redrives, last_redrive
    from dead_letters where id = any(${[...at.ids]}::uuid[])
    order by partition, "offset", id for update`;
  const skipped: SkippedDeadLetter[] = [];
  const moved: string[] = [];
  for (const letter of letters) {
    const why = await refusal(tx, of, at.epoch, letter);
    if (why === null) {
      await moveOne(tx, of, at.epoch, letter);
      moved.push(letter.id);
    } else skipped.push({ id: letter.id, why });
  }
  await tx`
    delete from parked_keys as waiting where epoch = ${at.epoch} and topic = ${at.topic} and key = ${at.key} and not exists (
      select from parked_messages as message
      where message.epoch = waiting.epoch and message.topic = waiting.topic and message.key = waiting.key)`;
  return { moved, skipped };
}

/** Makes the key's row, due at once, or locks the one that is there. */
async function lockKey(
  tx: Tx,
  at: Readonly<{ epoch: number; topic: string; key: string; ids: readonly string[] }>,
  by: string,
) {
  await tx`
    insert into parked_keys as waiting (epoch, topic, key, partition, next_at, class, error, fingerprint)
    select ${at.epoch}, topic, key, partition, clock_timestamp(), 'redriven', ${`redriven by ${by}`}, ''
    from dead_letters where id = any(${[...at.ids]}::uuid[]) limit 1
    on conflict (epoch, topic, key) do update set attempts = waiting.attempts`;
}

async function refusal(
  tx: Tx,
  of: Redrive,
  epoch: number,
  letter: DeadLetterRow,
): Promise<SkippedDeadLetter["why"] | null> {
  if (letter.last_redrive === of.redriveId) return "already";
  if (letter.state !== "dead") return "not_dead";
  if (letter.redrives >= (of.cap ?? maxRedrives)) return "over_cap";
  // Only `dead` becomes `parked`. A message unknown in this inbox epoch, such as an edited copy, enters the inbox.
  const rows = await tx`
    insert into inbox (epoch, message_id, time, fate)
    values (${epoch}, ${letter.message_id}, ${letter.time}::timestamptz, 'parked')
    on conflict (epoch, message_id, time) do update set fate = 'parked' where inbox.fate = 'dead'
    returning message_id`;
  return rows.length === 0 ? "not_dead" : null;
}

async function moveOne(tx: Tx, of: Redrive, epoch: number, { id }: DeadLetterRow): Promise<void> {
  await tx`
    insert into parked_messages
      (epoch, topic, key, partition, "offset", message_id, time, timestamp_ms, value, headers, history, redrive_id)
    select ${epoch}, topic, key, partition, "offset", message_id, time, timestamp_ms, value, headers, attempts,
      ${of.redriveId}::uuid
    from dead_letters where id = ${id}`;
  await tx`
    update dead_letters set state = 'redriven', redrives = redrives + 1, last_redrive = ${of.redriveId}::uuid,
      settled_at = clock_timestamp()
    where id = ${id}`;
}
