import type { Sql } from "../../../shared/postgres/db.ts";

/** More than this many are not counted: a badge says "999+". */
const mostCounted = 1_000;
const perStatement = 5_000;

/** How many in-app notifications a user has not read, up to 1,000. */
export async function countUnread(sql: Sql, userId: string): Promise<number> {
  const [row] = await sql<{ count: number }[]>`
    select count(*)::int as count from (
      select from deliveries
      where user_id = ${userId} and channel = 'in-app' and status = 'delivered' and read_at is null and digest_id is null
      limit ${mostCounted}) unread`;
  return row?.count ?? 0;
}

/** Marks one as read; one that was read stays as it is. Only what is in the person's list can be. */
export async function markRead(sql: Sql, { id, userId }: Readonly<{ id: string; userId: string }>): Promise<boolean> {
  const marked = await sql`
    update deliveries set read_at = coalesce(read_at, clock_timestamp())
    where id = ${id} and user_id = ${userId} and channel = 'in-app' and status = 'delivered'
    returning id`;
  return marked.length === 1;
}

/** Marks all as read that were there when asked; resolves with how many. */
export async function markAllRead(sql: Sql, userId: string): Promise<number> {
  const [{ until } = { until: new Date(0) }] = await sql<{ until: Date }[]>`select clock_timestamp() as until`;
  for (let read = 0; ;) {
    const marked = await sql`
      update deliveries set read_at = clock_timestamp() where id in (
        select id from deliveries
        where user_id = ${userId} and channel = 'in-app' and status = 'delivered' and read_at is null and digest_id is null
          and created_at <= ${until}::timestamptz + interval '1 ms'
        order by id limit ${perStatement} for no key update)
      returning id`;
    read += marked.length;
    if (marked.length < perStatement) return read;
  }
}
