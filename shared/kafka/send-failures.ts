import type { SendFailure } from "../messages/broker.ts";
import { hasProtocolError } from "./kafka-error.ts";

/**
 * The broker's answers that blame one record for what is in it: every broker, every topic setting within reason and
 * every sender would get the same answer. All other answers are about the topic, the sender or the moment, so the same
 * record is sent again later. Among them are two which look like the record's fault: INVALID_TIMESTAMP (two clocks
 * differ by more than the topic allows) and CORRUPT_MESSAGE (the bytes changed on the way; Kafka's own clients retry
 * it).
 */
const refusals: Readonly<Record<string, string>> = {
  MESSAGE_TOO_LARGE: "the topic takes no batch of this size; a record alone in it is too large",
  RECORD_LIST_TOO_LARGE: "the batch is larger than a segment of the topic",
  INVALID_RECORD: "the topic's rules refuse the record, as one without a key where the topic is compacted",
};

/** What a failure of the client, with all that is nested in it, says about the records that were sent. */
export function judgeSendFailure(cause: unknown): SendFailure {
  return Object.keys(refusals).some((id) => hasProtocolError(cause, id)) ? "refused" : "unreachable";
}
