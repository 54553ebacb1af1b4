import type { Broker, FetchedRecord } from "../../shared/messages/broker.ts";

/** The newest `limit` records of a topic, oldest first; at most `limit` are read per partition. */
export async function readNewest(broker: Broker, topic: string, limit: number): Promise<readonly FetchedRecord[]> {
  const [start, end] = await Promise.all([broker.admin.offsets(topic, "start"), broker.admin.offsets(topic, "end")]);
  const from = new Map<number, bigint>();
  for (const [partition, offset] of end) {
    const first = start.get(partition) ?? 0n;
    const wanted = offset - BigInt(limit);
    if (offset > first) from.set(partition, wanted > first ? wanted : first);
  }
  if (from.size === 0) return [];
  const open = new Set(from.keys());
  const found: FetchedRecord[] = [];
  const stop = new AbortController();
  for await (const { records, next } of broker.tail({ topic, from, signal: stop.signal })) {
    found.push(...records.filter(({ partition, offset }) => offset < (end.get(partition) ?? 0n)));
    // The last offsets may be those of markers: only `next` moves past them.
    for (const [partition, offset] of next) if (offset >= (end.get(partition) ?? 0n)) open.delete(partition);
    if (open.size === 0) break;
  }
  stop.abort();
  return found.toSorted((a, b) => a.timestamp - b.timestamp || Number(a.offset - b.offset)).slice(-limit);
}
