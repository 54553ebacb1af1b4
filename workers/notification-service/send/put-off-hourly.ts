import type { Sql, Tx } from "../../../shared/postgres/db.ts";
import { inBatches } from "../../../shared/role/upkeep.ts";
import { mailboxOf } from "./mailbox-of.ts";
import type { DueLane } from "./put-off-quiet.ts";

/** The next delivery of a lane that leads to a mail address. */
type DueMail = DueLane & Readonly<{ id: string; target: string }>;

/**
 * Postpones the mails of these lanes whose mailbox had `hourly` attempts in the last hour, by any lane, user and
 * instance. It spares the receiver, so it takes urgent ones, retries, repeated ones and ones another sender has begun
 * as well. They wait until the first of those attempts is an hour old, and then go as one digest. What room is left
 * goes to the first of `due`.
 *
 * The caller has locked the lanes. The mailboxes stay locked until the transaction ends: count in it what is sent
 * (`noteMails`). Resolves with the ids of the postponed mails.
 */
export async function putOffHourly(
  tx: Tx,
  due: readonly DueMail[],
  hourly: number | null,
): Promise<ReadonlySet<string>> {
  if (due.length === 0 || hourly === null) return new Set();
  const byMailbox = Map.groupBy(due, ({ target }) => mailboxOf(target));
  const mailboxes = [...byMailbox.keys()].sort();
  await tx`
    select pg_advisory_xact_lock(hashtextextended('mailbox ' || mailbox, 0))
    from unnest(${mailboxes}::text[]) with ordinality as one (mailbox, place)`;
  const recent = await tx<{ mailbox: string; count: number; freeAt: Date }[]>`
    select mailbox, count, coalesce(first_at, clock_timestamp()) + interval '1 hour' as "freeAt"
    from unnest(${mailboxes}::text[]) as one (mailbox)
    cross join lateral (
      select count(*)::int as count, min(at) as first_at from (
        select at from mail_attempts
        where mail_attempts.mailbox = one.mailbox and at > clock_timestamp() - interval '1 hour'
        order by at desc limit ${hourly}
      ) latest
    ) recent`;
  const over = recent.flatMap(({ mailbox, count, freeAt }) =>
    (byMailbox.get(mailbox) ?? []).slice(hourly - count).map(({ lane }) => ({ lane, until: freeAt.toISOString() })),
  );
  return over.length === 0 ? new Set() : await putOff(tx, over, hourly);
}

async function putOff(
  tx: Tx,
  over: readonly Readonly<{ lane: string; until: string }>[],
  hourly: number,
): Promise<ReadonlySet<string>> {
  const moved = await tx<{ id: string }[]>`
    with over as materialized (
      select * from unnest(${over.map(({ lane }) => lane)}::uuid[], ${over.map(({ until }) => until)}::timestamptz[])
        as over (lane, until)
    ), noted as (
      insert into delivery_attempts (claim, delivery_id, attempt, channel, outcome)
      select claim, id, attempts, channel, 'unknown' from deliveries join over using (lane) where status = 'sending'
      on conflict do nothing
    ), moved as (
      update deliveries
      set due_at = over.until, bundle = 'hourly', last_error = ${`only ${hourly} an hour go to one address`},
        status = 'pending', claim = null, lease_until = null,
        possibly_duplicated = possibly_duplicated or status = 'sending'
      from over
      where deliveries.lane = over.lane and (status = 'pending' and due_at < over.until or status = 'sending')
      returning deliveries.id, deliveries.lane
    ), looked as (
      update delivery_lanes set next_at = least(next_at, clock_timestamp()) where id in (select lane from moved)
    )
    select id from moved`;
  return new Set(moved.map(({ id }) => id));
}

/** Counts what is about to be sent to these addresses. */
export async function noteMails(tx: Tx, targets: readonly string[]): Promise<void> {
  if (targets.length === 0) return;
  await tx`insert into mail_attempts (mailbox) select * from unnest(${targets.map(mailboxOf)}::text[])`;
}

const perStatement = 5_000;

/** Forgets what is older than an hour. */
export async function pruneMailAttempts(sql: Sql, signal: AbortSignal): Promise<void> {
  await inBatches(
    { rows: perStatement, signal },
    () => sql`
      delete from mail_attempts where ctid in (
        select ctid from mail_attempts where at < clock_timestamp() - interval '1 hour' limit ${perStatement})`,
  );
}
