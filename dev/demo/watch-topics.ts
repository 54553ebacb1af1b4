import type { Broker, FetchedRecord } from "../../shared/messages/broker.ts";
import { readEnvelope, type ReadEnvelope } from "../../shared/outbox/envelope.ts";
import { topicNames } from "../../shared/messages/topics.ts";

type WatchedRecord = Readonly<{ record: FetchedRecord; envelope: ReadEnvelope }>;

/** Tells every record that is written to any topic from now on. Resolves when it stands at the end of all of them. */
export async function watchTopics(
  broker: Broker,
  onRecord: (seen: WatchedRecord) => void,
  signal: AbortSignal,
): Promise<void> {
  await Promise.all(
    topicNames.map(async (topic) => {
      const from = await broker.admin.offsets(topic, "end");
      void (async () => {
        for await (const { records } of broker.tail({ topic, from, signal }))
          for (const record of records) onRecord({ record, envelope: readEnvelope(record.headers) });
      })();
    }),
  );
}
