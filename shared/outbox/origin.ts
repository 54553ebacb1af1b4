import type { Headers } from "../messages/message.ts";
import { utf8Text } from "../bytes.ts";

/**
 * Where a record's row was in the outbox, and in which life of the database server it was claimed. It travels as the
 * header `ce_outbox`: by it a database that went back in time finds the records of changes it has lost.
 */
export type RowOrigin = Readonly<{
  /** `server_life()` of the claim. */
  life: string;
  /** YYYY-MM-DD, as the row has it. */
  day: string;
  id: string;
  /** When the row was inserted, µs since the epoch: ids come again after a restore, instants do not. */
  created: string;
}>;

export const originHeader = "ce_outbox";

/** `<life>.<YYYYMMDD>.<id>.<created>`, all decimal. */
export function formatOrigin({ life, day, id, created }: RowOrigin): string {
  return [life, day.replaceAll("-", ""), id, created].join(".");
}

/**
 * `null` for a record that came another way, from a build that does not write it, or with a day that no calendar has:
 * Postgres would refuse that, and nobody could handle the record or give it up.
 */
export function readOrigin(headers: Headers): RowOrigin | null {
  const header = headers.findLast(([name]) => name === originHeader);
  if (header === undefined) return null;
  const parts = /^(\d{1,18})\.(\d{4})(\d\d)(\d\d)\.(\d{1,18})\.(\d{1,18})$/.exec(utf8Text(header[1]));
  if (parts === null) return null;
  const [, life = "", year, month, date, id = "", created = ""] = parts;
  const day = `${year}-${month}-${date}`;
  return isDay(day) ? { life, day, id, created } : null;
}

function isDay(text: string): boolean {
  const at = new Date(`${text}T00:00:00Z`);
  return !Number.isNaN(at.getTime()) && at.toISOString().startsWith(text) && text > "0001";
}
