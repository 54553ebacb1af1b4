import type { Encoder } from "../../shared/outbox/outbox.ts";
import type { Decoder } from "../../shared/consume/handle-batch.ts";
import { Problem } from "../../shared/problem.ts";

/** Ids whose schema only the registry could tell. */
export const uncachedSchemaId = 999;

/**
 * The codec's two halves over JSON instead of Avro: 0x00, an id in 4 bytes, then `{type, data}`. For tests of what
 * carries records; needs no registry. `registryDown` decides what an id nobody knows means.
 */
export function makeJsonCodec(of: { registryDown: () => boolean } = { registryDown: () => false }): Encoder & Decoder {
  return {
    encode: (type, data) => frame(1, JSON.stringify({ type, data })),
    decode: async (_topic, value) => {
      await Promise.resolve();
      const bytes = Buffer.from(value);
      if (bytes.length < 5 || bytes[0] !== 0) throw new Problem("UNDECODABLE", "the value has no schema id");
      const id = bytes.readUInt32BE(1);
      if (id === uncachedSchemaId && of.registryDown())
        throw new Problem("UNAVAILABLE", "the registry is not reachable");
      if (id !== 1 && id !== uncachedSchemaId) throw new Problem("UNDECODABLE", `there is no schema ${id}`);
      const text = bytes.subarray(5).toString();
      if (text.startsWith("unknown:")) return { unknown: text };
      try {
        return JSON.parse(text);
      } catch (cause) {
        throw new Problem("UNDECODABLE", "not JSON", { cause });
      }
    },
  };
}

export function frame(id: number, text: string): Uint8Array {
  const bytes = Buffer.alloc(5 + Buffer.byteLength(text));
  bytes.writeUInt32BE(id, 1);
  bytes.write(text, 5);
  return bytes;
}
