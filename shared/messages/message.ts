import type { Records } from "./records.ts";
import type { RoleName, TopicName } from "./topics.ts";

/** The name of an Avro record; it is also `ce_type`. */
export type MessageType = keyof Records;

/**
 * What a handler returns and a route writes: a fact or a request, not yet encoded. `id` and `time` are set only by
 * those who know better than the default: for a message caused by another, the id is UUIDv5(cause id, type, subject)
 * and the time is the cause's; for one caused by a request, UUIDv7 and the request's time.
 */
export type MessageOf<T extends MessageType> = Readonly<{
  type: T;
  /** The Kafka key: decides the partition, and with it what stays in order. */
  key: string;
  /** What the message is about (a task, a reminder); `sequence` counts its versions. */
  subject: string;
  /** `null` only where the statement that writes it fills it in from the row it changes. */
  sequence: number | null;
  data: Records[T];
  id?: string;
  time?: Date;
}>;
export type Message = { [T in MessageType]: MessageOf<T> }[MessageType];

/** What travels beside the fields of a record, as CloudEvents headers. */
export type Envelope = Readonly<{
  id: string;
  time: Date;
  source: RoleName;
  /** The request or timer everything further down came from. */
  correlationId: string;
  /** The message that made this one, `null` for the first of a chain. */
  causationId: string | null;
  traceparent: string | null;
}>;

/**
 * Where a chain goes on when its time has come: the message that armed a timer, and the root and trace it belongs to.
 */
export type Origin = Readonly<{ messageId: string; correlationId: string; traceparent: string | null }>;

/** Where a record lies in Kafka. */
type Position = Readonly<{ topic: TopicName; partition: number; offset: bigint }>;

/**
 * A message as a consumer sees it. `timestamp` is the broker's, in ms since the epoch; `headers` and `value` are as
 * received.
 */
export type ReceivedOf<T extends MessageType> = Omit<MessageOf<T>, "id" | "time" | "sequence"> &
  Envelope &
  Position &
  Readonly<{
    sequence: number;
    timestamp: number;
    value: Uint8Array;
    headers: Headers;
  }>;
export type ReceivedMessage = { [T in MessageType]: ReceivedOf<T> }[MessageType];

/** Kafka headers in their order; a name may repeat. */
export type Headers = readonly (readonly [name: string, value: Uint8Array])[];
