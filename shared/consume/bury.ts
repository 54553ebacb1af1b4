import type { Db } from "../postgres/db.ts";
import type { GroupName } from "../topics.ts";
import { inboxEntryOf } from "./dead-letter.ts";
import { shareGroup } from "./group-epoch.ts";
import { enterInbox } from "./inbox.ts";
import type { Failed } from "./set-aside.ts";
import { writeDeadLetter } from "./write-dead-letter.ts";

/**
 * Makes a record a dead letter: its fate, the row that carries it to `<group>-dlq` and its place in the index are one commit. A
 * record whose fate is known already is left as it is.
 */
export async function bury(
  of: Readonly<{ db: Pick<Db, "transaction">; group: GroupName; epoch: number; now: () => Date }>,
  failed: Failed,
): Promise<void> {
  const dead = { ...failed, group: of.group, epoch: of.epoch, now: of.now() };
  await of.db.transaction(async (tx) => {
    const [, entered] = await Promise.all([
      shareGroup(tx, of.group, of.epoch),
      enterInbox(tx, of.epoch, "dead", [inboxEntryOf(failed.record)]),
    ]);
    if (entered.size > 0) await writeDeadLetter(tx, dead);
  });
}
