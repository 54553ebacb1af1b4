import type { Db, Sql, Tx } from "../../../shared/postgres/db.ts";
import { readPreferences } from "../../../shared/preferences/read-preferences.ts";
import type { FiredReminder, Notification } from "../channels/channel.ts";
import { channels, type ChannelName } from "../channels/channels.ts";
import type { Health } from "./endpoint-health.ts";
import { cancelObsolete } from "./cancel-obsolete.ts";
import type { Preferences } from "../../../shared/preferences/preferences.ts";
import { makeDigests, type DigestCandidate } from "./make-digests.ts";
import { noteMails, putOffHourly } from "./put-off-hourly.ts";
import { putOffQuiet } from "./put-off-quiet.ts";
import { readDues, toldReminder } from "./read-dues.ts";
import { isNamed, secretOf, type Way } from "../plan/way.ts";

/**
 * A delivery this process may send until its lease ends. `retaken`: another sender had it and never said what became of
 * it. `barred`: why it must not be sent at all.
 */
export type ClaimedDelivery = Notification &
  Readonly<{
    channel: ChannelName;
    lane: string;
    attempt: number;
    claim: string;
    retaken: boolean;
    fallbacks: readonly Way[];
    /** When it was to go out; it fired then or before. */
    dueAt: Date;
    dueForMs: number;
    lateBy: number | null;
    health: Health;
    barred: Readonly<{ status: "failed" | "cancelled"; reason: string }> | null;
  }>;

type ClaimOptions = Readonly<{
  channel: ChannelName;
  limit: number;
  leaseMs: number;
  /** How long late reminders gather before they go out as one. */
  gatherMs: number;
  /** How many lanes of one user may send at once, and how many do: one user must not keep all senders busy. */
  perUser: number;
  onTheirWay: ReadonlyMap<string, number>;
  /** How many attempts an hour are made to one mailbox; `null`: as many as there are. */
  hourly: number | null;
}>;

export type DeliveryClaims = Readonly<{ claimed: readonly ClaimedDelivery[]; more: boolean }>;

type LaneHead = Readonly<{
  lane: string;
  userId: string;
  target: string;
  id: string;
  kind: Notification["kind"];
  retaken: boolean;
  bundle: DigestCandidate["bundle"];
  attempts: number;
}>;

/**
 * In how many ms the first lane of a channel is to be looked at, 0 or less for now; `null` while nothing waits. One
 * step in an index.
 */
export async function nextDueMs(sql: Sql, channel: ChannelName): Promise<number | null> {
  const [row] = await sql<{ ms: number | null }[]>`
    select (extract(epoch from min(next_at) - clock_timestamp()) * 1000)::float8 as ms
    from delivery_lanes where channel = ${channel} and next_at is not null`;
  return row?.ms ?? null;
}

/**
 * Takes the next delivery of up to `limit` lanes of a channel that have one due, the longest waiting lane first. Two
 * senders never have the same lane, so its deliveries go one after the other, and one that failed holds up those behind
 * it. Before that it (1) postpones deliveries that fall into quiet hours, (2) postpones mails over the hourly limit of
 * their mailbox, (3) merges postponed ones that are due together into a digest, (4) cancels those that no longer
 * matter. `more`: look again at once.
 */
export function claimDeliveries(db: Pick<Db, "transaction">, of: ClaimOptions): Promise<DeliveryClaims> {
  return db.transaction(async (tx) => {
    const { lanes, more } = await lockDueLanes(tx, of);
    if (lanes.length === 0) return { claimed: [], more };
    const places = new Map(lanes.map((lane, place) => [lane, place]));
    const found = await findHeads(tx, lanes);
    const due = found.toSorted((a, b) => (places.get(a.lane) ?? 0) - (places.get(b.lane) ?? 0));
    const preferences = await readPreferences(
      tx,
      due.map(({ userId }) => userId),
    );
    const quiet = await putOffQuiet(tx, due, { channel: of.channel, preferences });
    const ring = due.filter(({ id }) => !quiet.has(id));
    const over = await putOffHourly(tx, ring, of.hourly);
    const heads = ring.filter(({ id }) => !over.has(id));
    const { ids, obsolete } = await leaveOutObsolete(tx, await makeDigests(tx, heads, of.gatherMs), heads);
    const claimed = ids.length === 0 ? [] : await take(tx, ids, { ...of, preferences });
    const sent = claimed.filter(({ barred }) => barred === null);
    if (of.hourly !== null)
      await noteMails(
        tx,
        sent.map(({ target }) => target),
      );
    return { claimed, more: heads.length < due.length || obsolete > 0 || more };
  });
}

async function lockDueLanes(
  tx: Tx,
  { channel, limit, perUser, onTheirWay }: ClaimOptions,
): Promise<Readonly<{ lanes: readonly string[]; more: boolean }>> {
  const busy = [...onTheirWay].filter(([, count]) => count >= perUser).map(([userId]) => userId);
  const due = await tx<{ id: string; userId: string }[]>`
    select id, user_id as "userId" from delivery_lanes
    where channel = ${channel} and next_at <= clock_timestamp() and user_id <> all(${busy}::uuid[])
    order by next_at limit ${limit} for no key update skip locked`;
  const counts = new Map(onTheirWay);
  const lanes = due.filter(({ userId }) => {
    const count = (counts.get(userId) ?? 0) + 1;
    counts.set(userId, count);
    return count <= perUser;
  });
  return { lanes: lanes.map(({ id }) => id), more: due.length === limit };
}

/**
 * The delivery that each lane has to send now. Lanes that have none yet get the right `next_at`: that is a hint, which
 * may be too early and is never too late. This is a statement after the one that took the locks, so it sees what was
 * added before them.
 */
async function findHeads(tx: Tx, lanes: readonly string[]): Promise<readonly LaneHead[]> {
  return await tx<LaneHead[]>`
    with heads as materialized (
      select delivery_lanes.id as lane, delivery_lanes.user_id, delivery_lanes.target, coalesce(left_behind.id, waiting.id) as id,
        coalesce(left_behind.kind, waiting.kind) as kind, left_behind.id is not null as retaken,
        waiting.bundle, waiting.attempts,
        case when left_behind.id is not null then left_behind.lease_until
          else greatest(waiting.due_at, waiting.next_attempt_at, case when disabled_at is null then open_until end) end as ready_at
      from delivery_lanes
      left join lateral (
        select id, kind, lease_until from deliveries where lane = delivery_lanes.id and status = 'sending' limit 1
      ) left_behind on true
      left join lateral (
        select id, kind, due_at, next_attempt_at, bundle, attempts from deliveries
        where lane = delivery_lanes.id and status = 'pending' order by due_at, id limit 1
      ) waiting on true
      where delivery_lanes.id = any(${[...lanes]}::uuid[])
    ), ready as materialized (
      select *, id is not null and ready_at <= clock_timestamp() as is_ready from heads
    ), rest as (
      update delivery_lanes set next_at = case when ready.id is not null then ready.ready_at end
      from ready where delivery_lanes.id = ready.lane and not is_ready
    )
    select lane, user_id as "userId", target, id, kind, retaken, bundle, attempts from ready where is_ready`;
}

/** The deliveries that still matter, and how many did not. A digest matters as long as one reminder in it does. */
async function leaveOutObsolete(
  tx: Tx,
  digests: Readonly<{ ids: ReadonlyMap<string, string>; obsolete: number }>,
  heads: readonly LaneHead[],
): Promise<Readonly<{ ids: readonly string[]; obsolete: number }>> {
  const ids = heads.map((head) => digests.ids.get(head.lane) ?? head.id);
  const older = heads.filter((head) => head.kind === "digest").map((head) => head.id);
  const members = older.length === 0 ? [] : await readMemberIds(tx, older);
  const obsolete = await cancelObsolete(tx, [...ids, ...members.map(({ id }) => id)]);
  const full = new Set(members.filter(({ id }) => !obsolete.has(id)).map(({ digestId }) => digestId));
  const empty = older.filter((id) => !full.has(id));
  if (empty.length > 0)
    await tx`
      update deliveries set status = 'cancelled', claim = null, lease_until = null, reason = 'nothing left to tell'
      where id = any(${empty}::uuid[])`;
  const gone = new Set([...obsolete, ...empty]);
  const left = ids.filter((id) => !gone.has(id));
  return { ids: left, obsolete: ids.length - left.length + digests.obsolete };
}

async function readMemberIds(tx: Tx, digests: readonly string[]) {
  return await tx<{ id: string; digestId: string }[]>`
    select id, digest_id as "digestId" from deliveries where digest_id = any(${[...digests]}::uuid[]) and status = 'bundled'`;
}

type ClaimedDeliveryRow = Omit<ClaimedDelivery, "health" | "barred" | "reminders" | "secret" | "causationId"> &
  Readonly<{
    eventId: string;
    reminderId: string | null;
    taskId: string | null;
    title: string | null;
    remindAt: Date | null;
    triggeredAt: Date;
    failures: number;
    failingForMs: number;
    disabled: boolean;
  }>;

async function take(
  tx: Tx,
  ids: readonly string[],
  {
    leaseMs,
    channel,
    preferences,
  }: Readonly<{ leaseMs: number; channel: ChannelName; preferences: ReadonlyMap<string, Preferences> }>,
): Promise<readonly ClaimedDelivery[]> {
  const taken = await tx<ClaimedDeliveryRow[]>`
    with before as materialized (
      select id, lane, claim, attempts, channel, status = 'sending' as retaken from deliveries where id = any(${[...ids]}::uuid[])
    ), noted as (
      insert into delivery_attempts (claim, delivery_id, attempt, channel, outcome)
      select claim, id, attempts, channel, 'unknown' from before where retaken
      on conflict do nothing
    ), lane as (
      update delivery_lanes set next_at = clock_timestamp() + ${leaseMs} * interval '1 ms'
      from before where delivery_lanes.id = before.lane
      returning delivery_lanes.id, failures, disabled_at is not null as disabled,
        coalesce(extract(epoch from clock_timestamp() - failing_since) * 1000, 0)::float8 as "failingForMs"
    )
    update deliveries
    set status = 'sending', attempts = deliveries.attempts + 1, claim = gen_random_uuid(),
      lease_until = clock_timestamp() + ${leaseMs} * interval '1 ms', possibly_duplicated = possibly_duplicated or retaken
    from before join lane on lane.id = before.lane
    where deliveries.id = before.id
    returning deliveries.id, kind, deliveries.channel, target, deliveries.lane, user_id as "userId",
      event_id as "eventId", correlation_id as "correlationId", traceparent, reminder_id as "reminderId", task_id as "taskId", title, remind_at as "remindAt", triggered_at as "triggeredAt",
      late_by as "lateBy", deliveries.attempts as attempt, deliveries.claim, retaken, fallbacks,
      greatest(due_at, triggered_at) as "dueAt",
      greatest(extract(epoch from clock_timestamp() - greatest(due_at, triggered_at)) * 1000, 0)::float8 as "dueForMs",
      failures, disabled, "failingForMs"`;
  const members = await readMembers(tx, taken);
  const dues = await readDues(
    tx,
    taken.flatMap(({ id, taskId, userId }) => [
      { taskId, userId },
      ...(members.get(id) ?? []).map((member) => ({ taskId: member.taskId, userId })),
    ]),
  );
  return taken.map(
    ({
      failures,
      failingForMs,
      disabled,
      eventId,
      reminderId,
      taskId,
      title,
      remindAt,
      triggeredAt,
      ...one
    }): ClaimedDelivery => {
      const wishes = preferences.get(one.userId);
      const way = { channel, target: one.target };
      const secret = wishes ? secretOf(wishes, way) : null;
      const { removed } = channels[channel];
      const isRemoved = removed !== null && !(wishes && isNamed(wishes, way));
      // A way that was taken away is passed over for the next of its chain that was not.
      const fallbacks = isRemoved ? one.fallbacks.filter((way) => wishes && isNamed(wishes, way)) : one.fallbacks;
      return {
        ...one,
        fallbacks,
        secret,
        causationId: one.kind === "digest" ? null : eventId,
        reminders: (reminderId === null || taskId === null
          ? (members.get(one.id) ?? [])
          : [{ reminderId, taskId, title, remindAt, triggeredAt, lateBy: one.lateBy }]
        ).map((fired) => toldReminder(fired, dues, wishes?.tz ?? "UTC")),
        health: { failures, failingForMs },
        barred: isRemoved
          ? {
              status: fallbacks.length === 0 ? "cancelled" : "failed",
              reason: removed,
            }
          : disabled
            ? { status: "failed", reason: "the endpoint is disabled" }
            : null,
      };
    },
  );
}

type DigestEntry = FiredReminder & Readonly<{ digestId: string }>;

async function readMembers(
  tx: Tx,
  taken: readonly ClaimedDeliveryRow[],
): Promise<ReadonlyMap<string, readonly DigestEntry[]>> {
  const digests = taken.filter(({ kind }) => kind === "digest").map(({ id }) => id);
  if (digests.length === 0) return new Map();
  const rows = await tx<DigestEntry[]>`
    select digest_id as "digestId", reminder_id as "reminderId", task_id as "taskId", title, remind_at as "remindAt",
      triggered_at as "triggeredAt", late_by as "lateBy"
    from deliveries where digest_id = any(${digests}::uuid[]) and status = 'bundled'
    order by coalesce(remind_at, triggered_at), id`;
  return Map.groupBy(rows, ({ digestId }) => digestId);
}
