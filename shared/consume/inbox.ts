import type { Tx } from "../postgres/db.ts";

type InboxFate = "done" | "parked" | "dead";
export type InboxEntry = Readonly<{ id: string; time: Date }>;

/**
 * Enters messages in the inbox and returns the ids that were not there yet. Waits for another transaction that is
 * entering one of them. In sorted order, so that two members entering the same ids cannot wait for each other.
 */
export async function enterInbox(
  tx: Tx,
  epoch: number,
  fate: InboxFate,
  entries: readonly InboxEntry[],
): Promise<ReadonlySet<string>> {
  const sorted = [...entries].sort((a, b) =>
    a.id < b.id ? -1 : a.id > b.id ? 1 : a.time.getTime() - b.time.getTime(),
  );
  const rows = await tx<{ message_id: string }[]>`
    insert into inbox (epoch, message_id, time, fate)
    select ${epoch}, id, time, ${fate}::inbox_fate
    from unnest(${sorted.map(({ id }) => id)}::uuid[], ${sorted.map(({ time }) => time.toISOString())}::timestamptz[])
      with ordinality as entry(id, time, place)
    order by place
    on conflict do nothing
    returning message_id`;
  return new Set(rows.map(({ message_id }) => message_id));
}

/**
 * Moves messages from one fate to another and returns the ids of those that had the first. Their key must be locked.
 */
export async function changeFate(
  tx: Tx,
  epoch: number,
  { from, to }: Readonly<{ from: InboxFate; to: InboxFate }>,
  entries: readonly InboxEntry[],
): Promise<ReadonlySet<string>> {
  const rows = await tx<{ message_id: string }[]>`
    update inbox set fate = ${to}::inbox_fate
    from unnest(${entries.map(({ id }) => id)}::uuid[], ${entries.map(({ time }) => time.toISOString())}::timestamptz[])
      as entry(id, at)
    where epoch = ${epoch} and message_id = entry.id and time = entry.at and fate = ${from}::inbox_fate
    returning message_id`;
  return new Set(rows.map(({ message_id }) => message_id));
}

/** What became of a message; `null` where the inbox does not know it. */
export async function readFate(tx: Tx, epoch: number, { id, time }: InboxEntry): Promise<InboxFate | null> {
  const [row] = await tx<{ fate: InboxFate }[]>`
    select fate from inbox where epoch = ${epoch} and message_id = ${id} and time = ${time.toISOString()}::timestamptz`;
  return row?.fate ?? null;
}
