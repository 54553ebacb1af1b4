import type { Codec } from "../../../shared/avro/codec.ts";
import type { SchemaHistory } from "../../../shared/avro/files.ts";
import { base64Text } from "../../../shared/bytes.ts";
import { isEpochChange, shareGroup } from "../../../shared/consume/group-epoch.ts";
import { enterInbox } from "../../../shared/consume/inbox.ts";
import { deriveId } from "../../../shared/messages/derive-id.ts";
import type { MessageType } from "../../../shared/messages/message.ts";
import { kafkaHeaders, readEnvelope, type StoredHeader } from "../../../shared/outbox/envelope.ts";
import type { Db } from "../../../shared/postgres/db.ts";
import { Problem } from "../../../shared/problem.ts";
import { auditDone, type ChangeAuthor } from "../audit.ts";
import { readGroup } from "../read-group.ts";
import { reviveRecord } from "../revive-record.ts";
import { sameContent } from "../../../shared/same-content.ts";
import type { ReadSchemas } from "./apply-schemas.ts";
import { readDeadLetter, type DeadLetterDetail } from "./read-dead-letter.ts";

type EditResult = Readonly<{
  auditId: string | null;
  original: string;
  /** The corrected copy, a dead letter of its own until it is redriven. */
  id: string;
  type: string;
  /** Fields whose value differs from the original's; all of them where that could not be decoded. */
  changed: readonly string[];
}>;

/**
 * Makes a corrected copy of a dead letter: `data` is the whole record as JSON, encoded by the codec, which refuses what
 * does not fit the schema (UNENCODABLE, with the path). The copy has an id of its own, derived from the original and
 * the new bytes, so the same edit made twice is one copy; the original is kept in state `edited` and can no longer be
 * redriven. Key, time and all other headers are the original's, and `x-edited-from` is added.
 */
export async function editDeadLetter(
  { db, codec, readSchemas }: Readonly<{ db: Db; codec: () => Promise<Codec>; readSchemas: ReadSchemas }>,
  { id, data }: Readonly<{ id: string; data: unknown }>,
  { by, dryRun }: Readonly<{ by: ChangeAuthor; dryRun: boolean }>,
): Promise<EditResult> {
  const original = await readDeadLetter({ sql: db.sql, codec }, id);
  const group = readGroup(original.group);
  const { type, value } = encodeEdited({ codec: await codec(), histories: await readSchemas() }, original, data);
  const messageId = deriveId("edited", id, base64Text(value));
  const copyId = deriveId("dead letter", group, messageId);
  const changed = changedFields(original, data);
  const plan = { original: id, id: copyId, type, changed };
  if (original.editedTo.includes(copyId)) return { auditId: null, ...plan };
  if (original.state !== "dead")
    throw new Problem("REFUSED", `${id} is ${original.state}; only what is dead can be edited`);
  if (changed.length === 0) throw new Problem("REFUSED", `nothing in ${id} would change`);
  if (dryRun) return { auditId: null, ...plan };
  const headers = editedHeaders(original, messageId);
  return db.transaction(async (tx) => {
    await shareGroup(tx, group, original.epoch).catch((error: unknown) => {
      if (!isEpochChange(error)) throw error;
      throw new Problem("REFUSED", `the group ${group} was reset since ${id} died`, { cause: error });
    });
    await enterInbox(tx, original.epoch, "dead", [{ id: messageId, time: original.time }]);
    const taken = await tx`
      update dead_letters set state = 'edited', settled_at = clock_timestamp() where id = ${id} and state = 'dead' returning id`;
    if (taken.length === 0) throw new Problem("REFUSED", `${id} was redriven, dropped or edited meanwhile`);
    await tx`
      insert into dead_letters (id, group_name, epoch, topic, key, partition, "offset", message_id, time, timestamp_ms, value,
        headers, type, user_id, class, error, stack, fingerprint, attempts, redrives, state, edited_from)
      select ${copyId}, group_name, epoch, topic, key, partition, "offset", ${messageId}, time, timestamp_ms, ${value},
        ${JSON.stringify(headers)}::jsonb, ${type}, user_id, class, error, stack, fingerprint, attempts, redrives, 'dead', id
      from dead_letters where id = ${id}`;
    return { auditId: await auditDone(tx, by, { action: "dlq edit", plan: { ...plan, data } }), ...plan };
  });
}

function encodeEdited(
  { codec, histories }: Readonly<{ codec: Codec; histories: readonly SchemaHistory[] }>,
  original: DeadLetterDetail,
  data: unknown,
) {
  const history = histories.find(({ topic, type }) => topic === original.topic && type === original.type);
  if (history === undefined)
    throw new Problem(
      "REFUSED",
      `${original.topic} has no record ${original.type}: this build cannot write a corrected copy`,
    );
  // What the codec is given is checked by it, field by field.
  const record = reviveRecord(history.current.schema, data) as Parameters<Codec["encode"]>[1];
  return { type: history.type satisfies MessageType, value: codec.encode(history.type, record) };
}

/** Rejects an envelope nobody could read: the copy would die at once again. */
function editedHeaders(original: DeadLetterDetail, messageId: string): readonly StoredHeader[] {
  const headers = original.headers.map((header): StoredHeader =>
    header[0] === "ce_id" ? ["ce_id", messageId] : header,
  );
  try {
    readEnvelope(kafkaHeaders(headers, null));
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    throw new Problem("REFUSED", `editing the value does not help: ${why}`, { cause: error });
  }
  return [...headers, ["x-edited-from", original.id]];
}

function changedFields({ value }: DeadLetterDetail, data: unknown): readonly string[] {
  const asJson = (from: unknown): unknown => JSON.parse(JSON.stringify(from ?? null)) as unknown;
  const [before, after] = [asJson(value), asJson(data)];
  if (!isRecord(after)) return [];
  if (!isRecord(before)) return Object.keys(after);
  const names = [...new Set([...Object.keys(before), ...Object.keys(after)])];
  return names.filter((name) => !sameContent(before[name], after[name]));
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
