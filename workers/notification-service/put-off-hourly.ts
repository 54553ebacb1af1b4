import type { Sql, Tx } from "../../shared/postgres/db.ts";
import { mailboxOf } from "./mailbox-of.ts";
import type { DueLane } from "./put-off-quiet.ts";

/** What goes by a lane of an address. */
export type DueMail = DueLane & Readonly<{ id: string; target: string }>;

/**
 * Puts off what is to go by these lanes where `hourly` attempts to their mailbox were made in the last hour, by whichever lane, user and
 * instance: urgent ones, retries, what somebody asked to have sent again and what another sender had begun too, since it is the receiver
 * who is spared. It waits until the first of those attempts is an hour old; what has piled up by then goes as one digest. `due` is in
 * the order in which what room is left is given away. The lanes must be locked; they are looked at again at once. The mailboxes
 * stay locked until the transaction ends, so note what is sent in it, see `noteMails`. Resolves with the ids of what was put off.
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

/** Forgets what is older than an hour. */
export async function pruneMailAttempts(sql: Sql): Promise<void> {
  await sql`delete from mail_attempts where at < clock_timestamp() - interval '1 hour'`;
}
