import { deriveId } from "../../../shared/messages/derive-id.ts";
import type { Tx } from "../../../shared/postgres/db.ts";
import { cancelObsolete } from "./cancel-obsolete.ts";

/** The next delivery of a lane. It goes into a digest only if it was postponed (`bundle`) and never tried. */
export type DigestCandidate = Readonly<{
  lane: string;
  id: string;
  kind: "reminder" | "digest";
  bundle: "quiet" | "late" | "hourly" | null;
  attempts: number;
}>;

/** More go into a second digest. */
const mostInOne = 500;

/**
 * Merges the deliveries of a lane that are due together into one digest, if there are two or more. Deliveries that no
 * longer matter are cancelled first, and counted as `obsolete`. Late reminders are collected for `gatherMs` from the
 * first one on, so a digest takes those due by then too. Resolves with the id of each lane's digest.
 */
export async function makeDigests(
  tx: Tx,
  heads: readonly DigestCandidate[],
  gatherMs: number,
): Promise<Readonly<{ ids: ReadonlyMap<string, string>; obsolete: number }>> {
  const bundling = heads.filter(
    ({ kind, bundle, attempts }) => kind === "reminder" && bundle !== null && attempts === 0,
  );
  if (bundling.length === 0) return { ids: new Map(), obsolete: 0 };
  const due = await tx<{ lane: string; id: string }[]>`
    select head.lane, member.id
    from unnest(${bundling.map(({ lane }) => lane)}::uuid[], ${bundling.map(({ bundle }) => bundle)}::text[]) as head (lane, bundle)
    cross join lateral (
      select id from deliveries
      where lane = head.lane and status = 'pending' and kind = 'reminder' and bundle = head.bundle and attempts = 0
        and due_at <= clock_timestamp() + case when head.bundle = 'late' then ${gatherMs} else 0 end * interval '1 ms'
      order by due_at, id limit ${mostInOne}
    ) member`;
  const obsolete = await cancelObsolete(
    tx,
    due.map(({ id }) => id),
  );
  const left = Map.groupBy(
    due.filter(({ id }) => !obsolete.has(id)),
    ({ lane }) => lane,
  );
  const digests = bundling.flatMap(({ lane, id }) => {
    const members = left.get(lane) ?? [];
    return members.length < 2
      ? []
      : [{ lane, head: id, id: deriveId("digest", id), members: members.map((one) => one.id) }];
  });
  const bundled = digests.flatMap(({ id, members }) => members.map((member) => ({ member, id })));
  if (digests.length > 0) {
    await tx`
      insert into deliveries (id, event_id, kind, channel, target, lane, fallbacks, user_id, triggered_at, due_at,
        correlation_id, traceparent)
      select digest.id, digest.id, 'digest', channel, target, lane, fallbacks, user_id, triggered_at, due_at,
        correlation_id, traceparent
      from unnest(${digests.map(({ id }) => id)}::uuid[], ${digests.map(({ head }) => head)}::uuid[]) as digest (id, head)
      join deliveries on deliveries.id = digest.head`;
    await tx`
      update deliveries set status = 'bundled', digest_id = digest.id
      from unnest(${bundled.map(({ member }) => member)}::uuid[], ${bundled.map(({ id }) => id)}::uuid[]) as digest (member, id)
      where deliveries.id = digest.member`;
  }
  return { ids: new Map(digests.map(({ lane, id }) => [lane, id])), obsolete: obsolete.size };
}
