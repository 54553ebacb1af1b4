import type { Codec } from "../../shared/avro/codec.ts";
import { messageContentType } from "../../shared/outbox/envelope.ts";
import { topicNames } from "../../shared/messages/topics.ts";
import { base64Text, sameBytes, utf8Bytes, utf8Text } from "../../shared/bytes.ts";

/** `value` is the record where it can be decoded, else text or base64; `read` says which, or why it could not be. */
export type ReadValue = Readonly<{ value: unknown; read: string }>;

/**
 * Reads the bytes of a record of `topic`. `openCodec` is asked only for Avro; what it rejects with becomes the reason
 * in `read`.
 */
export async function readValue(
  record: Readonly<{ topic: string | null; contentType: string | null; value: Uint8Array | null }>,
  openCodec: () => Promise<Codec>,
): Promise<ReadValue> {
  const { value } = record;
  if (value === null) return { value: null, read: "there is none" };
  const topic = topicNames.find((name) => name === record.topic);
  if (record.contentType !== messageContentType || topic === undefined) {
    const text = utf8Text(value);
    return sameBytes(utf8Bytes(text), value)
      ? { value: text, read: "as text" }
      : { value: base64Text(value), read: "as base64: it is no text" };
  }
  try {
    const decoded = await (await openCodec()).decode(topic, value);
    if ("data" in decoded) return { value: decoded.data, read: `as ${decoded.type}` };
    return { value: base64Text(value), read: `as base64: this build does not know ${decoded.unknown}` };
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    return { value: base64Text(value), read: `as base64: ${why}` };
  }
}
