import type { Db, Tx } from "../../../shared/postgres/db.ts";
import { storedPreferences } from "../../../shared/preferences/read-preferences.ts";
import { defaultPreferences } from "../../../shared/preferences/preferences.ts";
import { quietUntil } from "./quiet-until.ts";

type DeferredDelivery = Readonly<{
  id: string;
  lane: string;
  priority: string | null;
  dueAt: Date;
  settings: unknown;
  version: string;
  now: Date;
}>;

const perPage = 1_000;

/**
 * Plans postponed deliveries again if their owner has changed the preferences since: who unmutes is told now, who mutes
 * for longer is told later. Takes 1,000 in a transaction, until none is left or `signal` is aborted. Resolves with how
 * many got another time. Any number of instances may run it at once.
 */
export async function replanDeferred(
  db: Pick<Db, "transaction">,
  { signal }: Readonly<{ signal?: AbortSignal }> = {},
): Promise<number> {
  for (let moved = 0; ;) {
    const page = await db.transaction(replanPage);
    moved += page.moved;
    if (page.seen < perPage || signal?.aborted === true) return moved;
  }
}

async function replanPage(tx: Tx): Promise<Readonly<{ seen: number; moved: number }>> {
  // Steps from one user and version to the next in the index, instead of reading all that is put off.
  const waiting = await tx<DeferredDelivery[]>`
    with recursive planned as (
      (select user_id, plan_version from deliveries where status = 'pending' and bundle = 'quiet'
        order by user_id, plan_version limit 1)
      union all
      select next.user_id, next.plan_version from planned cross join lateral (
        select user_id, plan_version from deliveries
        where status = 'pending' and bundle = 'quiet'
          and (user_id, plan_version) > (planned.user_id, planned.plan_version)
        order by user_id, plan_version limit 1
      ) next
    )
    select deliveries.id, deliveries.lane, deliveries.priority, deliveries.due_at as "dueAt", current.settings,
      coalesce(current.version, 0)::text as version, clock_timestamp() as now
    from planned
    left join lateral (select settings, version from preferences where user_id = planned.user_id offset 0) current on true
    join lateral (
      select id, lane, priority, due_at from deliveries
      where user_id = planned.user_id and plan_version = planned.plan_version and status = 'pending' and bundle = 'quiet'
    ) deliveries on true
    where planned.plan_version <> coalesce(current.version, 0)
    limit ${perPage}`;
  if (waiting.length === 0) return { seen: 0, moved: 0 };
  const planned = waiting.map(({ settings, priority, dueAt, now, ...one }) => {
    const preferences = settings === null ? defaultPreferences : storedPreferences(settings);
    const passes = preferences.urgent_passes && priority === "High";
    const wanted = (passes ? null : quietUntil(preferences, now)) ?? (dueAt < now ? dueAt : now);
    return { ...one, wanted: wanted.toISOString(), isMoved: wanted.getTime() !== dueAt.getTime() };
  });
  const lanes = planned.map(({ lane }) => lane);
  await tx`select from delivery_lanes where id = any(${lanes}::uuid[]) order by id for no key update`;
  const rows = await tx<{ id: string }[]>`
    update deliveries set due_at = planned.wanted, plan_version = planned.version
    from unnest(${planned.map(({ id }) => id)}::uuid[], ${planned.map(({ wanted }) => wanted)}::timestamptz[],
      ${planned.map(({ version }) => version)}::bigint[]) as planned (id, wanted, version)
    where deliveries.id = planned.id and status = 'pending' and bundle = 'quiet'
    returning deliveries.id`;
  // Early is mended at the next look.
  await tx`
    update delivery_lanes set next_at = least(next_at, clock_timestamp())
    where id = any(${lanes}::uuid[]) and next_at is not null`;
  const kept = new Set(rows.map(({ id }) => id));
  return { seen: waiting.length, moved: planned.filter(({ id, isMoved }) => isMoved && kept.has(id)).length };
}
