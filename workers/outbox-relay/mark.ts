import { pause, sleep } from "../../shared/waiting/wait.ts";
import type { Db } from "../../shared/postgres/db.ts";
import type { Log } from "../../shared/role/log.ts";
import type { TellOutage } from "../../shared/role/outages.ts";
import type { ClaimedMessage } from "./claim.ts";
import type { Lease } from "./leases.ts";

/** Marks rows as published behind the sends. */
type Marker = AsyncDisposable &
  Readonly<{
    add: (rows: readonly ClaimedMessage[]) => void;
    /** How many are acknowledged and not marked. */
    waiting: () => number;
  }>;

type MakeMarker = Readonly<{
  db: Db;
  instance: string;
  log: Log;
  /** These need not be kept in mind any more: marked, or left to whoever has their lease now. */
  onDone: (rows: readonly ClaimedMessage[]) => void;
  /** Nothing was marked for this lease, because it is somebody else's by now. */
  onLost: (lease: Lease) => void;
  tellOutage?: TellOutage | undefined;
}>;

/** Marks come together for this long, so that a quiet relay does not write once per row. */
const gatherMs = 10;
/** So that a statement cut off by its deadline is not followed by a longer one. */
const rowsPerStatement = 5_000;

/**
 * One statement at a time, each with what gathered meanwhile; what fails is kept and tried again. Rows not marked when
 * the process dies are published twice, which their readers tell by the id. Disposing marks the rest, for at most 3 s.
 */
export function makeMarker({ db, instance, log, onDone, onLost, tellOutage }: MakeMarker): Marker {
  let pending: ClaimedMessage[] = [];
  let marking = 0;
  let isRunning = false;
  let running = Promise.resolve();
  const stop = new AbortController();
  const run = async (): Promise<void> => {
    isRunning = true;
    while (pending.length > 0) {
      await sleep(gatherMs, stop.signal);
      const rows = pending.slice(0, rowsPerStatement);
      pending = pending.slice(rowsPerStatement);
      marking = rows.length;
      try {
        for (const lease of await mark(db, instance, rows)) onLost(lease);
        onDone(rows);
        tellOutage?.("marks", null);
      } catch (error) {
        tellOutage?.("marks", error);
        log.warn("mark_failed", { rows: rows.length, error });
        pending = [...rows, ...pending];
        if (stop.signal.aborted) break;
        await sleep(500, stop.signal);
      }
      marking = 0;
    }
    isRunning = false;
  };
  return {
    add: (rows) => {
      pending.push(...rows);
      if (!isRunning) running = run();
    },
    waiting: () => pending.length + marking,
    [Symbol.asyncDispose]: async () => {
      stop.abort();
      await Promise.race([running, pause(3000)]);
    },
  };
}

/**
 * By list of ids and instants, never by range, and never by id alone: after the database went back in time a row that
 * was never sent may have the id of one that was. And only where this relay still has the lease under the lease epoch
 * it claimed with. The lock on the lease rows keeps a takeover from coming between the look and the commit; renewing
 * needs a weaker one and is not held up. Returns the leases that were not held.
 */
async function mark(db: Db, instance: string, rows: readonly ClaimedMessage[]): Promise<readonly Lease[]> {
  const leases = new Map(rows.map(({ lease }) => [`${lease.shard}/${lease.epoch}`, lease]));
  const held = await db.sql<{ shard: number; epoch: number }[]>`
    with held as materialized (
      select s.shard, s.epoch
      from outbox_shards s
      join unnest(
        ${[...leases.values()].map((lease) => lease.shard)}::smallint[],
        ${[...leases.values()].map((lease) => lease.epoch)}::bigint[]
      ) as mine(shard, epoch) on s.shard = mine.shard and s.epoch = mine.epoch
      where s.owner = ${instance}
      order by s.shard for key share of s
    ), marked as (
    update outbox o set published_at = clock_timestamp()
    from unnest(
      ${rows.map((row) => row.day)}::date[], ${rows.map((row) => row.id)}::bigint[], ${rows.map((row) => row.created)}::bigint[],
      ${rows.map((row) => row.lease.shard)}::smallint[], ${rows.map((row) => row.lease.epoch)}::bigint[]
    ) as done(day, id, created, shard, epoch)
    join held using (shard, epoch)
    -- Not "is null": a plan by the index of what is unpublished would compare the whole backlog with every row.
    where o.day = done.day and o.id = done.id and (extract(epoch from o.created_at) * 1000000)::bigint = done.created
      and coalesce(o.published_at, 'infinity') = 'infinity'
    )
    select shard, epoch::float8 as epoch from held`;
  for (const { shard, epoch } of held) leases.delete(`${shard}/${epoch}`);
  return [...leases.values()];
}
