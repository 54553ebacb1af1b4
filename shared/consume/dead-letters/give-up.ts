import type { Db } from "../../postgres/db.ts";
import type { GroupName } from "../../messages/topics.ts";
import { inboxEntryOf } from "./dead-letter.ts";
import { findLost } from "../log/find-lost.ts";
import { shareGroup } from "../group-epoch.ts";
import { enterInbox } from "../inbox.ts";
import type { FailedMessage } from "../failure/failed.ts";
import { writeDeadLetter } from "./write-dead-letter.ts";

/**
 * Makes a record a dead letter: its fate in the inbox, the outbox row for `<group>-dlq` and the row of `dead_letters`
 * are one commit. A record that the inbox knows, or of a change that the database has lost, is left alone.
 */
export async function giveUp(
  of: Readonly<{
    db: Pick<Db, "transaction">;
    group: GroupName;
    epoch: number;
    life: () => string | null;
    now: () => Date;
  }>,
  failed: FailedMessage,
): Promise<void> {
  const dead = { ...failed, group: of.group, epoch: of.epoch, now: of.now() };
  await of.db.transaction(async (tx) => {
    if ((await findLost(tx, [failed.record], of.life())).size > 0) return;
    const [, entered] = await Promise.all([
      shareGroup(tx, of.group, of.epoch, of.life()),
      enterInbox(tx, of.epoch, "dead", [inboxEntryOf(failed.record)]),
    ]);
    if (entered.size > 0) await writeDeadLetter(tx, dead);
  });
}
