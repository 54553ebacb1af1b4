import type { Sql } from "../postgres/db.ts";

/**
 * A request to fire this generation of this row at this instant. A newer generation makes it stale. If more rows are
 * due than can be fired at once, owners take turns: each gets one row into a batch, then each another.
 */
export type Wakeup = Readonly<{ id: string; generation: number; dueAt: Date; owner?: string }>;

/**
 * What became of one asked row. `fired`: the state change and its messages are committed. `later`: nothing was decided
 * (its guard was locked, or it is not due yet); it is asked again within milliseconds. A row not answered is stale:
 * another fired it, or it moved. That is normal and costs nothing.
 */
export type FiringOutcome = Readonly<{ id: string; outcome: "fired" | "later" }>;

/**
 * The owner's compare-and-set: one statement for the whole batch (≤ 500 rows, in id order) that changes exactly the
 * rows where `(id, generation)` is asked, `status = 'pending'` and `due_at <= clock_timestamp()`, with their outbox
 * rows. It may be called twice, at once, from anywhere, too early or with rows long gone: only its own condition
 * decides. Rejecting means nothing was fired; the rows are tried one by one and then again by the sweeper.
 */
export type Fire = (batch: readonly Wakeup[]) => Promise<readonly FiringOutcome[]>;

export type ClaimRange = Readonly<{
  which: "unarmed" | "of-earlier-epochs";
  epoch: number;
  from: Date | null;
  withinMs: number;
  limit: number;
}>;

/** A table of timers as the mechanism sees it. */
export type DueRows = Readonly<{
  /**
   * Marks pending rows due within `withinMs`, and not before `from`, as armed in the arming epoch `epoch` and returns
   * them, nearest first; rows another process is claiming are skipped. `which`: rows never armed in their generation,
   * or also those armed in an earlier epoch.
   */
  claim: (range: ClaimRange) => Promise<readonly Wakeup[]>;
  /** Takes a claim back: the wake-ups could not be stored. */
  release: (batch: readonly Wakeup[], epoch: number) => Promise<void>;
  /** Pending rows more than `graceMs` past their due instant by the database clock, oldest first, after `after`. */
  overdue: (range: Readonly<{ graceMs: number; after: Wakeup | null; limit: number }>) => Promise<readonly Wakeup[]>;
  /**
   * Pending rows past their due instant, counted up to 10,000, and how long the first of them is; zeros when there are
   * none.
   */
  late: () => Promise<Readonly<{ rows: number; seconds: number }>>;
  fire: Fire;
}>;

/**
 * The queries of a table of timers. The table must have `id uuid primary key, generation bigint, status text`
 * ('pending' while armed), a `timestamptz(3)` of the due instant (milliseconds: that is all a `Date` carries) and
 * `armed_in bigint not null default 0`, set back to 0 by whoever writes a new generation; and two indexes:
 * `(<due>, id) where status = 'pending'` and `(<due>) where status = 'pending' and armed_in = 0`. Without the column of
 * an `owner` all rows are one owner's.
 */
export function dueRows(
  { sql }: Readonly<{ sql: Sql }>,
  { table, due, owner, fire }: Readonly<{ table: string; due: string; owner?: string; fire: Fire }>,
): DueRows {
  const wakeup = sql`
    id, generation::float8 as generation, ${sql(due)} as "dueAt", ${owner === undefined ? sql`''` : sql(owner)}::text as owner`;
  // As a subquery it is asked once and bounds the scan of the index; bare, it is asked for every row there is.
  const now = sql`(select clock_timestamp())`;
  return {
    // By place, which the lock holds still: by id a plan reads the whole table for each batch of a rebuild.
    claim: ({ which, epoch, from, withinMs, limit }) =>
      sql<Wakeup[]>`
        with claimed as (
          update ${sql(table)} set armed_in = ${epoch}
          where ctid = any(array(
            select ctid from ${sql(table)}
            where status = 'pending' and ${which === "unarmed" ? sql`armed_in = 0` : sql`armed_in < ${epoch}`}
              and ${sql(due)} <= ${now} + ${withinMs} * interval '1 ms'
              ${from === null ? sql`` : sql`and ${sql(due)} >= ${from}`}
            order by ${sql(due)} limit ${limit} for no key update skip locked))
          returning ${wakeup})
        select * from claimed order by "dueAt"`,
    release: async (batch, epoch) => {
      await sql`
        update ${sql(table)} set armed_in = 0
        where id in (
          select id from ${sql(table)} where id = any(${batch.map((row) => row.id)}::uuid[]) and armed_in = ${epoch}
          order by id for no key update skip locked)`;
    },
    overdue: ({ graceMs, after, limit }) =>
      sql<Wakeup[]>`
        select ${wakeup} from ${sql(table)}
        where status = 'pending' and ${sql(due)} <= ${now} - ${graceMs} * interval '1 ms'
          ${after === null ? sql`` : sql`and (${sql(due)}, id) > (${after.dueAt}, ${after.id}::uuid)`}
        order by ${sql(due)}, id limit ${limit}`,
    late: async () => {
      const [row] = await sql<{ rows: number; seconds: number }[]>`
        select count(*)::int as rows,
          coalesce(extract(epoch from clock_timestamp() - min(late.due)), 0)::float8 as seconds
        from (
          select ${sql(due)} as due from ${sql(table)}
          where status = 'pending' and ${sql(due)} < ${now} order by ${sql(due)} limit 10000) late`;
      return row ?? { rows: 0, seconds: 0 };
    },
    fire,
  };
}
