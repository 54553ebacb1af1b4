import type { Admin, Broker, FetchedRecord } from "../../shared/messages/broker.ts";
import { deadLetterTopics } from "../../shared/messages/topics.ts";
import { utf8Text } from "../../shared/bytes.ts";

type DeadLetterCount = Readonly<{ topic: string; records: number; newest: Date | null }>;

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
        const last = await readLast(admin, topic, new Map(filled), start);
        const newest = last.length === 0 ? null : new Date(Math.max(...last.map(({ timestamp }) => timestamp)));
        return { topic, records, newest };
      }),
  );
}

/** A record near each end: at it there may be markers, so it looks back twice as far each time. */
async function readLast(
  admin: Admin,
  topic: string,
  ends: ReadonlyMap<number, bigint>,
  starts: ReadonlyMap<number, bigint>,
): Promise<readonly FetchedRecord[]> {
  const found: FetchedRecord[] = [];
  let open = new Map(ends);
  for (let back = 1n; open.size > 0; back *= 2n) {
    const from = [...open].map(([partition, end]) => {
      const start = starts.get(partition) ?? 0n;
      return [partition, end - back > start ? end - back : start] as const;
    });
    found.push(...(await admin.read(topic, new Map(from))));
    const isFound = (partition: number) => found.some((record) => record.partition === partition);
    open = new Map(
      [...open].filter(([partition, end]) => !isFound(partition) && end - back > (starts.get(partition) ?? 0n)),
    );
  }
  return found;
}

/** A header as text; of a name that repeats, the last counts, as it is the newest story. */
export function headerText(record: FetchedRecord, name: string): string | null {
  const found = record.headers.findLast(([header]) => header === name);
  return found === undefined ? null : utf8Text(found[1]);
}
