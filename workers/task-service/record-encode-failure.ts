import type { Sql } from "../../shared/postgres/db.ts";
import { writeEnvelope } from "../../shared/outbox/envelope.ts";
import type { Message } from "../../shared/messages/message.ts";
import { insertOutbox, shardOf, type WrittenBy } from "../../shared/outbox/outbox.ts";
import { topicOf } from "../../shared/messages/topic-of.ts";
import { deadLetterTopic } from "../../shared/messages/topics.ts";
import { utf8Bytes } from "../../shared/bytes.ts";
import { uuidV7 } from "../../shared/uuid.ts";

/**
 * Records a message that could not be encoded for the dead-letter topic of its topic, as JSON with the reason, in a
 * statement of its own: the change it belongs to is not made. Such a message is a bug of the writer; the caller answers
 * 500 and notifies the outbox channel. Rejects when the database does; then the log is the only trace, so log the
 * failure too.
 */
export async function recordEncodeFailure(
  sql: Sql,
  failed: Readonly<{ message: Message; error: unknown; by: WrittenBy }>,
): Promise<void> {
  const { message, by } = failed;
  const topic = topicOf(message.type);
  const error = failed.error instanceof Error ? failed.error : new Error(String(failed.error));
  const id = uuidV7(by.now);
  const envelope = writeEnvelope({
    id,
    time: by.now,
    source: by.source,
    type: message.type,
    subject: message.subject,
    contentType: "application/json",
    correlationId: by.correlationId,
    causationId: by.cause?.id ?? by.causationId ?? null,
    traceparent: by.traceparent ?? null,
  });
  const story: readonly (readonly [string, string])[] = [
    ["x-original-topic", topic],
    ["x-error-class", "invalid"],
    ["x-error-message", error.message.slice(0, 1024)],
    ["x-error-stack", (error.stack ?? "").slice(0, 4096)],
    ["x-failed-at", by.now.toISOString()],
  ];
  await insertOutbox(sql, [
    {
      shard: shardOf(message.key),
      line: 0,
      topic: deadLetterTopic(topic),
      key: message.key,
      messageId: id,
      type: message.type,
      subject: message.subject,
      sequence: message.sequence,
      time: by.now,
      value: utf8Bytes(JSON.stringify(message.data)),
      headers: JSON.stringify([...envelope, ...story]),
    },
  ]);
}
