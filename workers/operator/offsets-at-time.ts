import type { Admin } from "../../shared/messages/broker.ts";

/**
 * Per partition the offset of the first record not older than `time`, or the end where all are older. A binary search
 * over the records' timestamps, all partitions at once, so about log2(records) reads; clocks that went back make it a
 * little early or late.
 */
export async function offsetsAtTime(
  admin: Pick<Admin, "offsets" | "read">,
  topic: string,
  time: Date,
): Promise<ReadonlyMap<number, bigint>> {
  const start = await admin.offsets(topic, "start");
  const end = await admin.offsets(topic, "end");
  const low = new Map([...end].map(([partition, offset]) => [partition, start.get(partition) ?? offset]));
  const high = new Map(end);
  for (;;) {
    const middles = new Map(
      [...low].flatMap(([partition, from]) => {
        const to = high.get(partition) ?? from;
        return from < to ? [[partition, (from + to) / 2n] as const] : [];
      }),
    );
    if (middles.size === 0) return low;
    const found = new Map((await admin.read(topic, middles)).map((record) => [record.partition, record.timestamp]));
    for (const [partition, middle] of middles) {
      const timestamp = found.get(partition);
      // Nothing to read there counts as too late: rather a message handled twice than one left out.
      if (timestamp !== undefined && timestamp < time.getTime()) low.set(partition, middle + 1n);
      else high.set(partition, middle);
    }
  }
}
