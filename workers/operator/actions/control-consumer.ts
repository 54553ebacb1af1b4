import type { Db } from "../../../shared/postgres/db.ts";
import type { GroupName } from "../../../shared/messages/topics.ts";
import { auditDone, type ChangeAuthor } from "../audit.ts";

type ConsumerControl = "pause" | "resume" | "release-flood";

type ControlResult = Readonly<{
  auditId: string | null;
  group: GroupName;
  control: ConsumerControl;
  /** Whether it is paused, before and after. */
  before: boolean;
  after: boolean;
}>;

/**
 * Tells a group to stop fetching, to go on, or to leave its flood guard. Its members are told at once and look every 5
 * s besides; one that starts later obeys a pause too. Asked to pause what is paused, or the like, it changes nothing
 * and writes no audit; a flood is released anew each time.
 */
export async function controlConsumer(
  db: Db,
  { group, control }: Readonly<{ group: GroupName; control: ConsumerControl }>,
  { by, dryRun }: Readonly<{ by: ChangeAuthor; dryRun: boolean }>,
): Promise<ControlResult> {
  const done = await db.transaction(async (tx): Promise<ControlResult> => {
    const [row] = await tx<{ paused: boolean }[]>`
      select paused from consumer_controls where group_name = ${group} for update`;
    const before = row?.paused ?? false;
    const release = control === "release-flood";
    const after = release ? before : control === "pause";
    if (dryRun || (!release && before === after)) return { auditId: null, group, control, before, after };
    // A member obeys a release when it sees a new time beside it: a pause must not bring an old one along.
    await tx`
      insert into consumer_controls (group_name, paused, release_flood, set_by, reason)
      values (${group}, ${after}, ${release}, ${by.who}, ${by.reason})
      on conflict (group_name) do update set paused = excluded.paused, release_flood = excluded.release_flood,
        set_by = excluded.set_by, reason = excluded.reason, set_at = clock_timestamp()`;
    const auditId = await auditDone(tx, by, {
      action: `consumers ${control}`,
      plan: { group, paused: { before, after } },
    });
    return { auditId, group, control, before, after };
  });
  // After the commit: inside it, a notification would serialise commits.
  if (done.auditId !== null) await db.sql`select pg_notify('consumer_controls', ${group})`;
  return done;
}
