import type { Db } from "../postgres/db.ts";
import { insertOutbox } from "../outbox/outbox.ts";
import type { GroupName } from "../topics.ts";
import { deadLetterRow, inboxEntryOf } from "./dead-letter.ts";
import { shareGroup } from "./group-epoch.ts";
import { enterInbox } from "./inbox.ts";
import type { Buried } from "./set-aside.ts";

/**
 * Makes a record a dead letter: its fate and the row that carries it to `<group>-dlq` are one commit. A record whose fate is
 * known already is left as it is.
 */
export async function bury(
  of: Readonly<{ db: Pick<Db, "transaction">; group: GroupName; epoch: number; now: () => Date }>,
  dead: Buried,
): Promise<void> {
  const row = deadLetterRow({ ...dead, group: of.group, now: of.now() });
  await of.db.transaction(async (tx) => {
    const [, entered] = await Promise.all([
      shareGroup(tx, of.group, of.epoch),
      enterInbox(tx, of.epoch, "dead", [inboxEntryOf(dead.record)]),
    ]);
    if (entered.size > 0) await insertOutbox(tx, [row]);
  });
}
