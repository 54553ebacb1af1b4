import type { FetchedRecord } from "../../../shared/messages/broker.ts";
import type { Codec } from "../../../shared/avro/codec.ts";
import { readEnvelope } from "../../../shared/outbox/envelope.ts";
import type { Log } from "../../../shared/role/log.ts";
import { Problem } from "../../../shared/problem.ts";
import { makeFrame, type Frame } from "./update-frame.ts";

export type FrameReader = (record: FetchedRecord, epoch: string) => Promise<Frame | null>;

/**
 * Reads frames out of records. `null`, counted, for what is shown to nobody: a type this build does not know, what
 * cannot be decoded, and records whose key and content name different users. Rejects only while the registry is needed
 * and down.
 */
export function makeFrameReader(options: {
  codec: Codec;
  log: Log;
  countDropped: (reason: "unknown" | "undecodable" | "mixed") => void;
}): FrameReader {
  const { codec, log, countDropped } = options;
  return async (record, epoch) => {
    const { topic, partition, offset, value } = record;
    try {
      if (value === null) throw new Problem("UNDECODABLE", "the record has no value");
      const { sequence, type, subject } = readEnvelope(record.headers);
      const decoded = await codec.decode("task-updates", value);
      if (!("type" in decoded) || decoded.type !== "TaskChanged") {
        countDropped("unknown");
        return null;
      }
      if (subject !== decoded.data.task_id)
        throw new Problem("UNDECODABLE", `${type} is about another task than its subject`);
      const frame = makeFrame(record, decoded.data, { epoch, sequence });
      if (frame !== "mixed") return frame;
      countDropped("mixed");
      log.error("update_of_mixed_users", { topic, partition, offset });
    } catch (error) {
      if (!(error instanceof SyntaxError) && !(error instanceof Problem && error.code === "UNDECODABLE")) throw error;
      countDropped("undecodable");
      log.error("update_undecodable", { topic, partition, offset, error });
    }
    return null;
  };
}
