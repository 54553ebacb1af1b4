import type { Db } from "../../postgres/db.ts";
import type { GroupName } from "../../messages/topics.ts";
import { controlsChannel } from "../controls.ts";
import { openGroup, shareGroup } from "../group-epoch.ts";
import type { KeyOf } from "./parked-queue.ts";

/** Makes a parked key due now; its tries so far still count. False when the key is not parked. */
export async function retryParkedNow(
  db: Pick<Db, "sql" | "transaction">,
  { group, topic, key }: KeyOf & Readonly<{ group: GroupName }>,
): Promise<boolean> {
  const epoch = await openGroup(db.sql, group);
  const found = await db.transaction(async (tx) => {
    await shareGroup(tx, group, epoch);
    return tx`
      update parked_keys set next_at = least(next_at, clock_timestamp())
      where epoch = ${epoch} and topic = ${topic} and key = ${key} returning key`;
  });
  if (found.length > 0) await db.sql`select pg_notify(${controlsChannel}, '')`;
  return found.length > 0;
}
