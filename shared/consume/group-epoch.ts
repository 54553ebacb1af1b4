import type { Sql, Tx } from "../postgres/db.ts";
import { databaseChange } from "../postgres/database-change.ts";
import type { GroupName } from "../messages/topics.ts";

/** Registers the group at its first start; its inbox epoch from then on until an operator resets the group. */
export async function openGroup(sql: Sql, group: GroupName): Promise<number> {
  const read = () => sql<{ epoch: number }[]>`select epoch from consumer_groups where name = ${group}`;
  // Read first: one that is known already needs no write, and its role gets ready while Postgres is read-only.
  const [known] = await read();
  if (known !== undefined) return known.epoch;
  await sql`insert into consumer_groups (name) values (${group}) on conflict (name) do nothing`;
  const [row] = await read();
  if (row === undefined) throw new Error(`the consumer group ${group} vanished while it was registered`);
  return row.epoch;
}

/**
 * Holds off a reset of the group until the transaction ends, and refuses when one has happened: then everything this
 * process knows of the inbox is of an older inbox epoch. An advisory lock, as a row lock would write a tuple per batch;
 * the epoch is read in a statement after it, whose snapshot sees a reset the lock waited for. A reset takes the same
 * lock alone. Refuses too, with DATABASE_CHANGED, on a server that does not live the `life` given: see `server_life()`.
 */
export async function shareGroup(tx: Tx, group: GroupName, epoch: number, life: string | null = null): Promise<void> {
  const [, rows] = await Promise.all([
    tx`select pg_advisory_xact_lock_shared(hashtextextended(${`consumer group ${group}`}, 0))`,
    tx<{ epoch: number; life: string }[]>`
      select epoch, server_life() as life from consumer_groups where name = ${group}`,
  ]);
  if (life !== null && rows[0] !== undefined && rows[0].life !== life) throw databaseChange();
  if (rows[0]?.epoch !== epoch)
    throw Object.assign(new Error(`the group ${group} was reset: this process must start anew`), {
      code: epochChanged,
    });
}

/**
 * Waits until no transaction of the group runs, keeps new ones off until this one ends, and gives the group its next
 * inbox epoch.
 */
export async function takeGroup(tx: Tx, group: GroupName): Promise<Readonly<{ before: number; epoch: number }>> {
  await tx`select pg_advisory_xact_lock(hashtextextended(${`consumer group ${group}`}, 0))`;
  const [row] = await tx<{ before: number; epoch: number }[]>`
    update consumer_groups set epoch = nextval('consumer_group_epoch')
    from (select epoch as before from consumer_groups where name = ${group}) as old
    where name = ${group} returning before, epoch`;
  if (row === undefined) throw new Error(`there is no consumer group ${group}`);
  return row;
}

/** Code of the error that ends the process after a reset of its group. */
const epochChanged = "EPOCH_CHANGED";

export function isEpochChange(error: unknown): boolean {
  return error instanceof Error && "code" in error && error.code === epochChanged;
}
