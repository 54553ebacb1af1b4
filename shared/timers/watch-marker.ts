import type { Sql } from "../postgres/db.ts";
import type { Wakeups } from "./wakeups.ts";

type MarkerRow = Readonly<{
  epoch: number;
  marker: string;
  nextMarker: string | null;
  server: string | null;
  /** Older than the rotation interval, by the database clock. */
  stale: boolean;
  /** So young that the one who rotates may not have written to Redis yet. */
  fresh: boolean;
  /** Until it is stale. */
  staleInMs: number;
}>;

/** `value`: what Redis holds by now, where that was found in order; `null` where it has to be looked at again. */
type MarkerReading = Readonly<{ epoch: number; value: string | null; server: string | null; staleInMs: number }>;

const rotateSeconds = 10;

/**
 * Checks whether Redis is still the one that was filled, and returns the arming epoch: a higher one than before when
 * Redis was emptied, restored from a copy older than the last rotation, or restarted. Rotates the marker every 10 s,
 * whichever instance comes first. Rejects while Redis or the database does not answer.
 *
 * The next marker is in Postgres before it is in Redis, and Postgres is read on both sides of Redis: a crash, or
 * another instance's rotation in between, is not mistaken for a loss. A loss seen wrongly would cost a rebuild, nothing
 * else. The new marker replaces exactly the marker that was read: written over an emptied Redis it would hide the loss,
 * and the sweeper would have to fire everything, seconds late.
 */
export async function watchMarker(
  { sql }: Readonly<{ sql: Sql }>,
  name: string,
  marker: Wakeups["marker"],
): Promise<number> {
  return (await lookAtMarker({ sql }, name, marker)).epoch;
}

/**
 * The same again and again, at the cost of Redis alone while it holds what it held at the look before, until the marker
 * is to be rotated. What another instance has found meanwhile is known here then.
 */
export function rememberMarker(
  db: Readonly<{ sql: Sql }>,
  name: string,
  marker: Wakeups["marker"],
  monotonic: () => number = () => performance.now(),
): () => Promise<number> {
  let last: MarkerReading | null = null;
  let until = 0;
  return async () => {
    if (last !== null && monotonic() < until) {
      const seen = await marker.read();
      if (seen.value === last.value && seen.server === last.server) return last.epoch;
    }
    last = null;
    const looked = await lookAtMarker(db, name, marker);
    until = monotonic() + looked.staleInMs;
    if (looked.value !== null) last = looked;
    return looked.epoch;
  };
}

async function lookAtMarker(
  { sql }: Readonly<{ sql: Sql }>,
  name: string,
  marker: Wakeups["marker"],
): Promise<MarkerReading> {
  const before = await readRow(sql, name);
  const seen = await marker.read();
  const row = await readRow(sql, name);
  const again = { value: null, server: null, staleInMs: 0 };
  if (before.marker !== row.marker || before.nextMarker !== row.nextMarker) return { epoch: row.epoch, ...again };

  const known = seen.value !== null && (seen.value === row.marker || seen.value === row.nextMarker);
  const restarted = row.server !== null && seen.server !== null && seen.server !== row.server;
  const lost = !known || restarted;
  if (row.fresh || (!lost && !row.stale))
    return { epoch: row.epoch, ...again, ...(lost ? {} : { ...seen, staleInMs: row.staleInMs }) };

  const next = crypto.randomUUID();
  const [mine] = await sql<{ epoch: number }[]>`
    update timer_markers
    set marker = ${known ? seen.value : row.marker}, next_marker = ${next}, server = ${seen.server},
      epoch = epoch + ${lost ? 1 : 0}, rotated_at = clock_timestamp()
    where name = ${name} and marker = ${row.marker} and next_marker is not distinct from ${row.nextMarker}
    returning epoch::int as epoch`;
  if (mine === undefined) return { epoch: (await readRow(sql, name)).epoch, ...again };
  if (!(await marker.replace(seen.value, next))) return { epoch: mine.epoch, ...again };
  await sql`
    update timer_markers set marker = ${next}, next_marker = null where name = ${name} and next_marker = ${next}`;
  return { epoch: mine.epoch, value: next, server: seen.server, staleInMs: rotateSeconds * 1_000 };
}

async function readRow(sql: Sql, name: string): Promise<MarkerRow> {
  const read = () => sql<MarkerRow[]>`
    select epoch::int as epoch, marker, next_marker as "nextMarker", server,
      rotated_at < clock_timestamp() - ${rotateSeconds} * interval '1 s' as stale,
      rotated_at > clock_timestamp() - interval '1 s' as fresh,
      (extract(epoch from rotated_at) + ${rotateSeconds} - extract(epoch from clock_timestamp()))::float8 * 1000 as "staleInMs"
    from timer_markers where name = ${name}`;
  const [row] = await read();
  if (row !== undefined) return row;
  await sql`
    insert into timer_markers (name, marker, rotated_at) values (${name}, ${crypto.randomUUID()}, '-infinity')
    on conflict (name) do nothing`;
  const [made] = await read();
  if (made === undefined) throw new Error(`the marker row of ${name} vanished`);
  return made;
}
