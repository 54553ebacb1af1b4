import type { Db } from "../../shared/postgres/db.ts";
import type { Log } from "../../shared/role/log.ts";
import type { TellOutage } from "../../shared/role/outages.ts";
import { shardCount } from "../../shared/outbox/outbox.ts";
import { sleep } from "../../shared/waiting/wait.ts";

const leaseMs = 4000;
const renewMs = 1000;
/** A lease counts as lost this long before the database would say so: what was just begun must still end inside it. */
const marginMs = 500;

/** A shard this relay holds. `epoch` is the lease epoch, which every mark compares. */
export type Lease = Readonly<{ shard: number; epoch: number }>;

export type Leases = AsyncDisposable &
  Readonly<{
    /** What may be claimed right now; a relay that was paused or cut off from the database finds nothing here. */
    held: () => readonly Lease[];
    isHeld: (lease: Lease) => boolean;
    /** The database has shown that somebody else has it: nothing more is begun for it. */
    lose: (lease: Lease) => void;
  }>;

type OpenLeases = Readonly<{
  db: Db;
  instance: string;
  log: Log;
  onAcquired: () => void;
  tellOutage?: TellOutage | undefined;
}>;

/**
 * Holds a fair share of the shards: lease rows that expire after 4 s by the database's clock and are renewed every
 * second. Whoever has more than ceil(shards / live relays) gives the rest back; whoever has less takes what is free or
 * expired, which raises the lease epoch. Disposing gives everything back at once: call it when nothing is in flight any
 * more. The first round is made before this resolves; a database that is down then is only logged.
 */
export async function openLeases({ db, instance, log, onAcquired, tellOutage }: OpenLeases): Promise<Leases> {
  const stop = new AbortController();
  // `leaving`: no more is claimed for it; it is given back a round later. What is still in flight then may be sent
  // twice.
  const leases = new Map<number, { epoch: number; until: number; leaving: boolean }>();

  const round = async (): Promise<void> => {
    const leaving = [...leases].filter(([, lease]) => lease.leaving).map(([shard]) => shard);
    if (leaving.length > 0) {
      for (const shard of leaving) leases.delete(shard);
      await giveBack(db, instance, leaving);
    }
    // Taken before the statement is sent: the database's 4 s start later than ours.
    const until = performance.now() + leaseMs - marginMs;
    const { kept, alive } = await renew(db, instance, leases);
    for (const shard of leases.keys()) if (!kept.has(shard)) leases.delete(shard);
    for (const [shard, epoch] of kept) leases.set(shard, { epoch, until, leaving: false });
    const share = Math.ceil(shardCount / alive);
    for (const lease of [...leases.values()].slice(share)) lease.leaving = true;
    if (leases.size < share) {
      const taken = await acquire(db, instance, share - leases.size);
      for (const { shard, epoch } of taken) leases.set(shard, { epoch, until, leaving: false });
      if (taken.length > 0) {
        log.info("shards_taken", { shards: taken.map(({ shard }) => shard) });
        onAcquired();
      }
    }
  };
  const tryRound = async (): Promise<void> => {
    try {
      await round();
      tellOutage?.("leases", null);
    } catch (error) {
      tellOutage?.("leases", error);
      log.warn("leases_failed", { error });
    }
  };

  await tryRound();
  const running = (async () => {
    while (!stop.signal.aborted) {
      await sleep(renewMs, stop.signal);
      if (!stop.signal.aborted) await tryRound();
    }
  })();
  return {
    held: () =>
      [...leases]
        .filter(([, lease]) => !lease.leaving && lease.until > performance.now())
        .map(([shard, lease]) => ({ shard, epoch: lease.epoch })),
    isHeld: ({ shard, epoch }) => {
      const lease = leases.get(shard);
      return lease?.epoch === epoch && lease.until > performance.now();
    },
    lose: ({ shard, epoch }) => {
      if (leases.get(shard)?.epoch === epoch) leases.delete(shard);
    },
    [Symbol.asyncDispose]: async () => {
      stop.abort();
      await running;
      leases.clear();
      await leave(db, instance).catch((error: unknown) => log.warn("leases_not_given_back", { error }));
    },
  };
}

type RenewResult = Readonly<{ kept: ReadonlyMap<number, number>; alive: number }>;

async function renew(db: Db, instance: string, held: ReadonlyMap<number, { epoch: number }>): Promise<RenewResult> {
  const shards = [...held.keys()];
  const epochs = [...held.values()].map((lease) => lease.epoch);
  const [row] = await db.sql<{ alive: number; shards: number[]; epochs: string[] }[]>`
    with seen as (
      insert into outbox_relays (instance, seen_at, obeys_layouts) values (${instance}, clock_timestamp(), true)
      on conflict (instance) do update set seen_at = excluded.seen_at, obeys_layouts = true
    ), kept as (
      update outbox_shards s set expires_at = clock_timestamp() + ${leaseMs} * interval '1 ms'
      from unnest(${shards}::smallint[], ${epochs}::bigint[]) as mine(shard, epoch)
      where s.shard = mine.shard and s.epoch = mine.epoch and s.owner = ${instance}
      returning s.shard, s.epoch
    )
    select
      (select count(*)::int from outbox_relays
       where instance <> ${instance} and seen_at > clock_timestamp() - ${leaseMs} * interval '1 ms') + 1 as alive,
      (select coalesce(array_agg(shard::int order by shard), '{}') from kept) as shards,
      (select coalesce(array_agg(epoch order by shard), '{}') from kept) as epochs`;
  if (!row) throw new Error("the lease statement returned no row");
  return { alive: row.alive, kept: new Map(row.shards.map((shard, i) => [shard, Number(row.epochs[i])])) };
}

async function acquire(db: Db, instance: string, count: number): Promise<readonly Lease[]> {
  const rows = await db.sql<{ shard: number; epoch: string }[]>`
    with free as (
      select shard from outbox_shards
      where owner is null or expires_at < clock_timestamp()
      order by random() limit ${count} for update skip locked
    )
    update outbox_shards s
    set owner = ${instance}, epoch = s.epoch + 1, expires_at = clock_timestamp() + ${leaseMs} * interval '1 ms'
    from free where s.shard = free.shard
    returning s.shard, s.epoch`;
  return rows.map((row) => ({ shard: row.shard, epoch: Number(row.epoch) }));
}

async function giveBack(db: Db, instance: string, shards: readonly number[]): Promise<void> {
  await db.sql`
    update outbox_shards set owner = null, expires_at = '-infinity'
    where owner = ${instance} and shard = any(${[...shards]}::smallint[])`;
}

async function leave(db: Db, instance: string): Promise<void> {
  await db.sql`
    with gone as (
      delete from outbox_relays where instance = ${instance} or seen_at < clock_timestamp() - interval '1 hour'
    )
    update outbox_shards set owner = null, expires_at = '-infinity' where owner = ${instance}`;
}
