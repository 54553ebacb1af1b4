import { sendFailureOf, type Producer } from "../../shared/messages/broker.ts";
import { kafkaHeaders } from "../../shared/outbox/envelope.ts";
import { formatOrigin, originHeader } from "../../shared/outbox/origin.ts";
import { topicNames } from "../../shared/messages/topics.ts";
import { utf8Bytes } from "../../shared/bytes.ts";
import type { ClaimedMessage } from "./claim.ts";
import { cutSends } from "./cut-sends.ts";

type Publish = Readonly<{
  producer: Producer;
  /** Asked before every send: a row whose lease is gone is left to its new owner. */
  mayBeSent: (row: ClaimedMessage) => boolean;
  /** Told as soon as the broker has acknowledged. */
  onPublished: (rows: readonly ClaimedMessage[]) => void;
  /**
   * Told of a row the broker refuses when it is sent alone; resolves when that is on record. Later rows of its topic
   * and key are then skipped if `holds` says so.
   */
  onRefused: (row: ClaimedMessage, error: unknown) => Promise<void>;
  holds: (row: ClaimedMessage) => boolean;
}>;

/** How a round of sends went: `failure` is what stopped it; `complete` says that every row was acknowledged. */
type PublishResult = Readonly<{ failure: unknown; complete: boolean }>;

/**
 * Sends rows in order, one send after the other. Refused ones are halved until the row to blame is alone; anything else
 * that goes wrong ends the round, because what comes after must not overtake. Never rejects.
 */
export async function publish(rows: readonly ClaimedMessage[], deps: Publish): Promise<PublishResult> {
  const held = new Set<string>();
  const lost = new Set<number>();
  let left = rows.length;
  const send = async (all: readonly ClaimedMessage[]): Promise<void> => {
    // A lease can lapse and be renewed between two sends: once a row was left out, the rest of its shard stays behind
    // it.
    for (const row of all) if (!deps.mayBeSent(row)) lost.add(row.lease.shard);
    const rows = all.filter((row) => !lost.has(row.lease.shard) && !held.has(keyOf(row)));
    const [first] = rows;
    if (first === undefined) return;
    try {
      await deps.producer.send(rows.map(toOutgoing));
      deps.onPublished(rows);
      left -= rows.length;
    } catch (error) {
      if (sendFailureOf(error) !== "refused") throw error;
      if (rows.length > 1) {
        const half = Math.ceil(rows.length / 2);
        await send(rows.slice(0, half));
        return send(rows.slice(half));
      }
      await deps.onRefused(first, error);
      if (deps.holds(first)) held.add(keyOf(first));
    }
  };
  try {
    for (const part of cutSends(rows)) await send(part);
    return { failure: null, complete: left === 0 };
  } catch (error) {
    return { failure: error ?? new Error("unknown"), complete: false };
  }
}

function keyOf(row: ClaimedMessage): string {
  return `${row.topic}\n${row.key}`;
}

function isTopic(name: string): boolean {
  return topicNames.some((topic) => topic === name);
}

function toOutgoing(row: ClaimedMessage) {
  const { topic, key, value, claimedAt: timestamp } = row;
  const headers = kafkaHeaders(row.headers, row.sequence);
  // A dead letter keeps the headers of the record it was.
  const origin = isTopic(topic)
    ? [[originHeader, utf8Bytes(formatOrigin({ ...row, id: String(row.id) }))] as const]
    : [];
  return { topic, key, value, timestamp, headers: [...headers, ...origin] };
}
