import type { Admin } from "../broker.ts";
import type { Db } from "../postgres/db.ts";
import type { Log } from "../log.ts";
import { deadLetterTopic, type GroupName, type TopicName } from "../topics.ts";
import { sleep } from "../wait.ts";

const dayMs = 86_400_000;
const weekMs = 7 * dayMs;
type Keeper = Pick<Db, "sql" | "transaction">;

/** How long the inbox remembers, by the messages' own time. */
export const inboxDays = 45;
const weeksAhead = 3;
const everyMs = 3_600_000;

/**
 * Throws unless the inbox remembers longer than a message can come back: for as long as its topic keeps it, then as a dead letter
 * for as long as that topic does, and a day. Otherwise a redriven message could be handled twice.
 */
export async function checkRetention(admin: Pick<Admin, "topics">, group: GroupName, topics: readonly TopicName[]) {
  const known = await admin.topics();
  const daysOf = (name: string): number => {
    const ms = Number(known.find((topic) => topic.name === name)?.configs["retention.ms"] ?? 0);
    return ms < 0 ? Number.POSITIVE_INFINITY : ms / dayMs;
  };
  const needed = Math.max(...topics.map(daysOf)) + daysOf(deadLetterTopic(group)) + 1;
  if (needed > inboxDays)
    throw new Error(
      `the inbox remembers ${inboxDays} days, and messages of ${group} can come back for ${Math.ceil(needed * 10) / 10}: ` +
        `lower retention.ms of ${topics.join(", ")} or ${deadLetterTopic(group)}`,
    );
}

/**
 * Makes the inbox's weeks ahead and drops those it need not remember, as dead letters settled as long ago, now and every hour until `stop`. Any number may do it.
 * The few messages of times without a week stay for ever: an old time says nothing about when they can come back.
 */
export async function keepInbox(db: Keeper, log: Log, stop: AbortSignal): Promise<void> {
  while (!stop.aborted) {
    try {
      await makeWeeks(db, log);
      await dropWeeks(db, log);
      await dropSettledLetters(db, log);
    } catch (error) {
      log.warn("inbox_upkeep_failed", { error });
    }
    await sleep(everyMs, stop);
  }
}

async function makeWeeks(db: Keeper, log: Log): Promise<void> {
  const monday = mondayOf(Date.now());
  for (let week = 0; week <= weeksAhead; week++) {
    const from = monday + week * weekMs;
    const [{ there } = { there: true }] = await db.sql<{ there: boolean }[]>`
      select to_regclass(${nameOf(from)}) is not null as there`;
    if (there) continue;
    await patiently(
      db,
      `create table if not exists ${nameOf(from)} partition of inbox
         for values from ('${new Date(from).toISOString()}') to ('${new Date(from + weekMs).toISOString()}')`,
    );
    log.info("inbox_week_made", { partition: nameOf(from) });
  }
}

async function dropWeeks(db: Keeper, log: Log): Promise<void> {
  const oldest = nameOf(mondayOf(Date.now() - inboxDays * dayMs));
  const weeks = await db.sql<{ name: string }[]>`
    select child.relname as name
    from pg_inherits join pg_class child on child.oid = inhrelid
    where inhparent = 'inbox'::regclass and child.relname ~ '^inbox_[0-9]{8}$' and child.relname < ${oldest}`;
  for (const { name } of weeks) {
    await patiently(db, `drop table if exists ${name}`);
    log.info("inbox_week_dropped", { partition: name });
  }
}

/** Dead letters that were brought back, dropped or corrected so long ago; what is still dead stays until an operator has decided. */
async function dropSettledLetters(db: Keeper, log: Log): Promise<void> {
  const dropped = await db.sql`
    delete from dead_letters where id in (
      select id from dead_letters
      where state <> 'dead' and settled_at < clock_timestamp() - ${inboxDays} * interval '1 day' limit 1000)`;
  if (dropped.count > 0) log.info("settled_dead_letters_dropped", { count: dropped.count });
}

/** Waits a second at most for running batches, as all later ones wait behind it. What it could not have is tried again in an hour. */
async function patiently(db: Keeper, statement: string): Promise<void> {
  await db.transaction(async (tx) => {
    await tx`set local lock_timeout = '1s'`;
    await tx.unsafe(statement);
  });
}

function mondayOf(ms: number): number {
  const day = Math.floor(ms / dayMs);
  // 1970-01-01 was a Thursday.
  return (day - ((day + 3) % 7)) * dayMs;
}

function nameOf(ms: number): string {
  return `inbox_${new Date(ms).toISOString().slice(0, 10).replaceAll("-", "")}`;
}
