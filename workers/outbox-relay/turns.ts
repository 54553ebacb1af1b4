import type { Db } from "../../shared/postgres/db.ts";
import { consumerGroups, groupNames, groupsPassingOverPlain } from "../../shared/messages/topics.ts";
import { traitsHeader } from "../../shared/tasks/task-traits.ts";
import type { ClaimedMessage } from "./claim.ts";

/** What a user sees at once depends on this group, so it is the one that must not be flooded. */
const watchedGroup = "task-update-broadcaster";
/** How many messages of a line may be between the outbox and the watched group. */
export const windowRows = 64;
/** A line that has more sends so many at a time, and no more often. */
const everyMs = 200;
/** How many times as long as a herd's batch takes to be handled the next is sent. */
const restFactor = 2;
/** A message counts as handled after this long: the group may be stopped, and its topics are read by others. */
const lapseMs = 1000;
/** And one of a herd, while others of herds are being handled, after this long: some never come to the inbox. */
const slowLapseMs = 30_000;
/** In the headers of a new task that has no inbox row of the groups which pass over such. */
const plain = JSON.stringify([[traitsHeader, "none"]]);
/** What a line may send in one round of a topic that the watched group does not read. */
const rowsPerTurn = 200;

/**
 * What a line may send now, for the lines that have more than that. One that may send nothing need not be looked at.
 */
export type Allowances = ReadonlyMap<number, number>;

type Turns = Readonly<{
  /** How many lines had more than they may send when the outbox was last looked at. */
  crowded: () => number;
  allowances: () => Allowances;
  /** Takes note of what a look at the first rows found; whether each line may send all of them. */
  fits: (rows: readonly ClaimedMessage[]) => boolean;
  /** Takes note of what a look by lines found, in order of id; what may be sent: of each line its first rows. */
  share: (rows: readonly ClaimedMessage[]) => readonly ClaimedMessage[];
  /** These are on their way. */
  sent: (rows: readonly ClaimedMessage[]) => void;
  /** These are not, after all. */
  unsent: (rows: Iterable<ClaimedMessage>) => void;
  /**
   * Asks the inbox what has been handled of the crowded lines: of a herd by every group that reads it, else by the
   * watched group.
   */
  refresh: (db: Pick<Db, "sql">) => Promise<void>;
}>;

type Flight = Readonly<{ day: string; at: number }>;
/**
 * A herd's last batch: when it was sent, whether it was given up, and when the next may be sent: `null` while it is on
 * its way.
 */
type HerdBatch = { sentAt: number; lapsed: boolean; nextAt: number | null };

/**
 * Bounds what one user can have waiting in Kafka. A partition is read in order, so what waits there delays everybody
 * behind it; in the outbox it delays nobody. Up to 64 messages of a line may be on their way, which a user whose
 * changes are handled as they come never has. A line with more is a herd: it sends 64 in twice the time that all groups
 * which read them take to handle them. So it has half of the consumers' time however slow they are, and batches that
 * cost no more than they must. Line 0 has no bound.
 */
export function makeTurns(now: () => number = () => performance.now()): Turns {
  // By line, then by id, in the order sent.
  const flights = new Map<number, Map<number, Flight>>();
  const crowded = new Map<number, string>();
  const herds = new Map<number, HerdBatch>();
  // Lines that may send nothing now are not looked at, and stay as they are.
  let resting: ReadonlySet<number> = new Set();
  let prunedAt = now();
  let handledAt = now();

  const inFlight = (line: number): number => {
    const flying = flights.get(line);
    if (flying === undefined) return 0;
    const herd = herds.get(line);
    const isSlow = herd !== undefined && handledAt > now() - lapseMs;
    for (const [id, { at }] of flying) {
      if (at > now() - (isSlow ? slowLapseMs : lapseMs)) break;
      flying.delete(id);
      if (herd) herd.lapsed = true;
    }
    if (flying.size === 0) flights.delete(line);
    return flying.size;
  };
  const allowance = (line: number, topic: string): number => {
    if (!isWatched(topic)) return rowsPerTurn;
    const flying = inFlight(line);
    const batch = herds.get(line);
    if (batch === undefined) return Math.max(0, windowRows - flying);
    if (flying > 0) return 0;
    const tookMs = batch.lapsed ? 0 : now() - batch.sentAt;
    batch.nextAt ??= batch.sentAt + Math.max(everyMs, restFactor * tookMs);
    return now() < batch.nextAt ? 0 : windowRows;
  };
  const prune = () => {
    if (prunedAt > now() - lapseMs) return;
    prunedAt = now();
    for (const line of flights.keys()) inFlight(line);
  };
  const share = (rows: readonly ClaimedMessage[]): readonly ClaimedMessage[] => {
    prune();
    for (const line of crowded.keys()) if (!resting.has(line)) crowded.delete(line);
    const waits = new Set<ClaimedMessage>();
    for (const [line, ofLine] of Map.groupBy(rows, (row) => row.line)) {
      const topic = ofLine[0]?.topic ?? "";
      const may = line === 0 ? ofLine.length : allowance(line, topic);
      if (ofLine.length <= may) continue;
      crowded.set(line, topic);
      for (const row of pickOfLine(ofLine, may).left) waits.add(row);
    }
    return waits.size === 0 ? rows : rows.filter((row) => !waits.has(row));
  };

  return {
    crowded: () => crowded.size,
    allowances: () => {
      const allowances = new Map([...crowded].map(([line, topic]) => [line, allowance(line, topic)]));
      resting = new Set([...allowances].filter(([, rows]) => rows === 0).map(([line]) => line));
      return allowances;
    },
    fits: (rows) => share(rows).length === rows.length,
    share: (rows) => {
      const shared = share(rows);
      for (const line of herds.keys()) if (!crowded.has(line)) herds.delete(line);
      for (const [line, topic] of crowded)
        if (isWatched(topic) && !herds.has(line)) herds.set(line, { sentAt: now(), lapsed: false, nextAt: null });
      return shared;
    },
    sent: (rows) => {
      for (const { id, day, line, topic } of rows) {
        if (line === 0 || !isWatched(topic)) continue;
        const flying = flights.get(line) ?? new Map<number, Flight>();
        flights.set(line, flying.set(id, { day, at: now() }));
        if (herds.has(line)) herds.set(line, { sentAt: now(), lapsed: false, nextAt: null });
      }
    },
    unsent: (rows) => {
      for (const { id, line } of rows) flights.get(line)?.delete(id);
    },
    refresh: async (db) => {
      const flying = [...crowded.keys()].flatMap((line) =>
        [...(flights.get(line) ?? [])].map(([id, { day }]) => ({ line, id, day })),
      );
      if (flying.length === 0) return;
      const handled = await db.sql<{ line: number; id: number }[]>`
        select o.line, o.id::float8 as id
        from unnest(
          ${flying.map(({ day }) => day)}::date[], ${flying.map(({ id }) => id)}::bigint[],
          ${flying.map(({ line }) => (herds.has(line) ? 1 : 0))}::int[]
        ) as sent(day, id, by_all)
        join outbox o on o.day = sent.day and o.id = sent.id
        where not exists (
          select from unnest(${readers.map(({ topic }) => topic)}::text[], ${readers.map(({ name }) => name)}::text[]) as reads(topic, name)
          join consumer_groups g on g.name = reads.name
          where reads.topic = o.topic and (sent.by_all = 1 or reads.name = ${watchedGroup})
            and not (reads.name = any(${[...groupsPassingOverPlain]}::text[]) and o.type = 'TaskCreated' and o.headers @> ${plain}::text::jsonb)
            and not exists (select from inbox i where i.epoch = g.epoch and i.message_id = o.message_id and i.time = o.time)
        )`;
      if (handled.length > 0) handledAt = now();
      for (const { line, id } of handled) flights.get(line)?.delete(id);
    },
  };
}

/**
 * Of rows of one line, in order of id, so many: those of the shard with the oldest row, then of the next. What is
 * picked of a shard are its first rows, so keys keep their order. A shard's keys share a lane of the consumer: a herd's
 * batch is one transaction there, and delays one lane of eight.
 */
export function pickOfLine(rows: readonly ClaimedMessage[], count: number) {
  const byShard = [...Map.groupBy(rows, ({ lease }) => lease.shard).values()].flat();
  return { picked: byShard.slice(0, count), left: byShard.slice(count) };
}

const readers = groupNames.flatMap((name) => consumerGroups[name].map((topic) => ({ topic, name })));

function isWatched(topic: string): boolean {
  return consumerGroups[watchedGroup].some((name) => name === topic);
}
