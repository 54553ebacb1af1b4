import { Producer as KafkaProducer, compatibilityPartitioner } from "@platformatic/kafka";
import type { OutgoingRecord, Producer, SendError } from "../messages/broker.ts";
import type { Log } from "../role/log.ts";
import { deadline, isTimeout } from "../waiting/wait.ts";
import { judgeSendFailure } from "./send-failures.ts";
import type { ClientOptions } from "./settings.ts";
import type { Naming } from "./naming.ts";
import { within } from "./within.ts";

/** Room for one request that was not answered (30 s), a look for the new leader, and one more try. */
const sendMs = 45_000;

/**
 * One producer: idempotent, acks=all, zstd but for small sends, partitioned as the Java client does (murmur2). It gives
 * up on a send after some 4 s of retries (without a limit an idempotent one retries for ever); the next send starts
 * afresh by itself. A broker that takes connections and answers nothing would be waited for much longer, 30 s a try:
 * after `patienceMs` the client is closed and the next send has a new one.
 */
export async function openProducer(
  base: ClientOptions,
  naming: Naming,
  log: Log,
  patienceMs: number = sendMs,
): Promise<Producer> {
  const open = () => {
    const client = new KafkaProducer({
      ...base,
      idempotent: true,
      acks: -1,
      retries: 8,
      partitioner: compatibilityPartitioner,
    });
    client.on("error", (error: Error) => log.warn("kafka_producer_error", { error }));
    return client;
  };
  const close = (client: ReturnType<typeof open>) => within(3_000, client.close(true));
  let current = open();
  return {
    send: async (records) => {
      if (records.length === 0) return;
      const client = current;
      try {
        const messages = records.map((record) => toMessage(record, naming));
        const sent = client.send({ messages, compression: isSmall(messages) ? "none" : "zstd" });
        await deadline(patienceMs, "sending records", sent);
      } catch (error) {
        // Of several sends that waited together the first replaces it.
        if (isTimeout(error) && client === current) {
          current = open();
          void close(client);
        }
        throw sendError(error);
      }
    },
    [Symbol.asyncDispose]: () => close(current),
  };
}

/**
 * zstd costs some 40 µs for each partition's batch and 15 µs with each who reads it, and leaves half of a record that
 * is alone.
 */
const smallBytes = 4_096;

function isSmall(messages: readonly ReturnType<typeof toMessage>[]): boolean {
  const overhead = 400;
  return messages.reduce((sum, { value }) => sum + overhead + (value?.length ?? 0), 0) < smallBytes;
}

function toMessage({ topic, timestamp, key, value, headers }: OutgoingRecord, naming: Naming) {
  return {
    topic: naming.physical(topic),
    timestamp: BigInt(Math.floor(timestamp)),
    ...(key === null ? {} : { key: Buffer.from(key) }),
    value: value === null ? noValue : buffer(value),
    // A map keyed by Buffers keeps repeated names apart and their order.
    headers: new Map(headers.map(([name, content]) => [Buffer.from(name), buffer(content)])),
  };
}

/** The client writes null as Kafka does; its types know a value or a missing one only, and a missing one it refuses. */
const noValue = null as unknown as Buffer;

function buffer(bytes: Uint8Array): Buffer {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

function sendError(cause: unknown): SendError {
  const failure = judgeSendFailure(cause);
  return Object.assign(new Error(`the broker did not take the records (${failure})`, { cause }), { failure });
}
