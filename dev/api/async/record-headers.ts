import { failureClasses } from "../../../shared/consume/failure/classify.ts";
import { originHeader } from "../../../shared/outbox/origin.ts";
import { roleNames, topicNames } from "../../../shared/messages/topics.ts";
import { traitsHeader } from "../../../shared/tasks/task-traits.ts";

/** What a Kafka header says. Its value is text in UTF-8; `schema` says which. */
type RecordHeader = Readonly<{ says: string; schema?: object; isOptional?: true }>;
type RecordHeaders = Readonly<Record<string, RecordHeader>>;

const uuid = { format: "uuid" };
const instant = { format: "date-time" };
const digits = { pattern: "^\\d+$" };

/** The headers of every record: CloudEvents 1.0 in Kafka's binary mode, and the trace. */
export const envelopeHeaders: RecordHeaders = {
  ce_specversion: { says: "The version of CloudEvents.", schema: { const: "1.0" } },
  ce_id: {
    says:
      "The id of the message. It is computed (UUIDv5) where another message or a timer made this one, else UUIDv7. A record may come " +
      "twice, under one id.",
    schema: uuid,
  },
  ce_source: { says: "The role that wrote it.", schema: { enum: roleNames } },
  ce_type: { says: "The name of the Avro record. Skip a record whose type you do not know: new ones may come." },
  ce_time: {
    says: "When it happened, by the database's clock. A message that another one caused has the time of its cause.",
    schema: instant,
  },
  ce_subject: { says: "The id of the task, reminder or series that it is about." },
  ce_sequence: {
    says:
      "The version of the subject: of a task, the number in its ETag; on task-updates, of the view. Of two records about one subject the " +
      "higher is newer.",
    schema: { pattern: "^\\d{1,15}$" },
  },
  "content-type": {
    says: "The framing of the value: a zero byte, the id of the schema in four bytes (big-endian), the Avro record.",
    schema: { const: "application/vnd.confluent.avro" },
  },
  ce_correlationid: { says: "The request or timer at the root of the chain of messages." },
  ce_causationid: { says: "The message that caused this one; missing on the first of a chain.", isOptional: true },
  traceparent: { says: "The trace of the request, as W3C Trace Context says.", isOptional: true },
  [traitsHeader]: {
    says:
      "Of TaskCreated alone: which of `due`, `template` and `occurrence` the new task has, separated by blanks, or `none`. A consumer can " +
      "decide by it before it decodes the record.",
    schema: { pattern: "^(none|(due|template|occurrence)( (due|template|occurrence))*)$" },
    isOptional: true,
  },
  [originHeader]: {
    says:
      "Where the record's row was in the outbox: life of the database server, day, id and instant of the row. By it roles find what a " +
      "restored database has lost; others need not read it.",
    schema: { pattern: "^\\d+\\.\\d{8}\\.\\d+\\.\\d+$" },
    isOptional: true,
  },
};

/** What is added to the headers of a record that was not published; the last of a name counts. */
export const refusalHeaders: RecordHeaders = {
  "x-original-topic": { says: "The topic it was meant for.", schema: { enum: topicNames } },
  "x-error-class": {
    says: "`refused` by the broker, or `invalid`: it could not be encoded.",
    schema: { enum: ["refused", "invalid"] },
  },
  "x-error-message": { says: "The failure in words, at most 1,024 characters." },
  "x-error-stack": { says: "The stack of the failure, where it could not be encoded.", isOptional: true },
  "x-failed-at": { says: "When it was given up.", schema: instant },
};

/** What is added to the headers of a record that a group gave up on; the last of a name counts. */
export const deadLetterHeaders: RecordHeaders = {
  "x-original-topic": { says: "The topic it was read from.", schema: { enum: topicNames } },
  "x-original-partition": { says: "The partition it was read from.", schema: digits },
  "x-original-offset": { says: "Its offset there.", schema: digits },
  "x-original-timestamp": { says: "Its timestamp in Kafka.", schema: instant },
  "x-group": { says: "The group that gave it up." },
  "x-error-class": { says: "What the failure means for the record.", schema: { enum: failureClasses } },
  "x-error-message": { says: "The failure in words, at most 1 KB." },
  "x-error-stack": { says: "The stack of the failure, at most 4 KB." },
  "x-error-fingerprint": { says: "The same for failures of one kind." },
  "x-attempts": { says: "The last 20 attempts, as JSON: `[{at, class, error}]`." },
  "x-failed-at": { says: "When it was given up.", schema: instant },
  "x-service-version": { says: "The build that gave it up." },
  "x-schema-id": {
    says: "The id of its schema in the registry; `none` where the value has no framing.",
    schema: { pattern: "^(\\d+|none)$" },
  },
  "x-original-key": {
    says: "The key in base64, where the key of this record is not the original's.",
    isOptional: true,
  },
  "x-original-null": {
    says: "Which of the two was missing and is empty here.",
    schema: { enum: ["key", "value", "key,value"] },
    isOptional: true,
  },
};

/** The headers as a schema object of AsyncAPI. */
export function headersSchema(description: string, headers: RecordHeaders): object {
  return {
    type: "object",
    description,
    required: Object.entries(headers).flatMap(([name, { isOptional }]) => (isOptional ? [] : [name])),
    properties: Object.fromEntries(
      Object.entries(headers).map(([name, { says, schema }]) => [
        name,
        { type: "string", description: says, ...schema },
      ]),
    ),
  };
}
