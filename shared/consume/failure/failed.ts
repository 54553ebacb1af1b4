import type { FetchedRecord } from "../../messages/broker.ts";
import type { Attempt } from "../dead-letters/dead-letter.ts";
import type { FailureClass } from "./classify.ts";

/** A message that has failed, and how. */
export type FailedMessage = Readonly<{
  record: FetchedRecord;
  /** Whose it is, where the message could be read. */
  userId: string | null;
  class: FailureClass;
  error: unknown;
  attempts: readonly Attempt[];
}>;

/** One try, for the story of a message. */
export function attemptOf(at: Date, failure: FailureClass, error: unknown): Attempt {
  const text = error instanceof Error ? error.message : String(error);
  // Postgres keeps no NUL in json.
  return { at, class: failure, error: text.slice(0, 200).replaceAll("\0", "\u{fffd}").toWellFormed() };
}

export function positionOf({ topic, partition, offset, key }: FetchedRecord) {
  return { topic, partition, offset, key };
}
