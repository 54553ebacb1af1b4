import type { Broker, Fetched } from "../../shared/broker.ts";
import { deadLetterTopics } from "../../shared/topics.ts";

export type DeadLetterCount = Readonly<{ topic: string; records: number; newest: Date | null }>;

/** How many dead letters each topic holds, and when the newest came. Topics that do not exist are left out. */
export async function countDeadLetters({ admin }: Broker): Promise<readonly DeadLetterCount[]> {
  const existing = new Set((await admin.topics()).map(({ name }) => name));
  return Promise.all(
    deadLetterTopics
      .filter((topic) => existing.has(topic))
      .map(async (topic) => {
        const [start, end] = await Promise.all([admin.offsets(topic, "start"), admin.offsets(topic, "end")]);
        const filled = [...end].filter(([partition, offset]) => offset > (start.get(partition) ?? 0n));
        const records = filled.reduce(
          (sum, [partition, offset]) => sum + Number(offset - (start.get(partition) ?? 0n)),
          0,
        );
        const last = await admin.read(topic, new Map(filled.map(([partition, offset]) => [partition, offset - 1n])));
        const newest = last.length === 0 ? null : new Date(Math.max(...last.map(({ timestamp }) => timestamp)));
        return { topic, records, newest };
      }),
  );
}

/** The newest `limit` dead letters of a topic, oldest first; at most `limit` are read per partition. */
export async function readNewest(broker: Broker, topic: string, limit: number): Promise<readonly Fetched[]> {
  const [start, end] = await Promise.all([broker.admin.offsets(topic, "start"), broker.admin.offsets(topic, "end")]);
  const from = new Map<number, bigint>();
  for (const [partition, offset] of end) {
    const first = start.get(partition) ?? 0n;
    const wanted = offset - BigInt(limit);
    if (offset > first) from.set(partition, wanted > first ? wanted : first);
  }
  if (from.size === 0) return [];
  const open = new Set(from.keys());
  const found: Fetched[] = [];
  const stop = new AbortController();
  for await (const records of broker.tail({ topic, from, signal: stop.signal })) {
    for (const record of records) {
      const last = end.get(record.partition) ?? 0n;
      if (record.offset < last) found.push(record);
      if (record.offset + 1n >= last) open.delete(record.partition);
    }
    if (open.size === 0) break;
  }
  stop.abort();
  return found.toSorted((a, b) => a.timestamp - b.timestamp || Number(a.offset - b.offset)).slice(-limit);
}

/** A header as text; of a name that repeats, the last counts, as it is the newest story. */
export function headerText(record: Fetched, name: string): string | null {
  const found = record.headers.findLast(([header]) => header === name);
  return found === undefined ? null : Buffer.from(found[1]).toString("utf8");
}
