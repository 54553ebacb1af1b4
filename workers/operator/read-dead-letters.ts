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

/** A header as text; of a name that repeats, the last counts, as it is the newest story. */
export function headerText(record: Fetched, name: string): string | null {
  const found = record.headers.findLast(([header]) => header === name);
  return found === undefined ? null : Buffer.from(found[1]).toString("utf8");
}
