/** A value as JSON keeps it: dates are RFC 3339 text. */
export type FieldValue = null | boolean | number | string | readonly string[];

/**
 * One field, the version of the subject that last set it, and when that was (ms since the epoch, the event's own time).
 */
type FoldedField = Readonly<{ value: FieldValue; version: number; time: number }>;
export type FoldedFields = Readonly<Record<string, FoldedField>>;

/**
 * Sets the fields nobody has set since `version`. The result depends on the set of calls alone, not on their order or
 * number: per field it is a maximum, by version, then time, then the value's text (one version is one event, so the
 * last two decide only between records that contradict each other). Returns `fields` itself when nothing changes.
 */
export function foldFields(
  fields: FoldedFields,
  set: Readonly<Record<string, FieldValue>>,
  version: number,
  time: number,
): FoldedFields {
  const newer = Object.entries(set)
    .map(([name, value]) => [name, { value, version, time }] as const)
    .filter(([name, field]) => !Object.hasOwn(fields, name) || isAbove(field, fields[name]));
  // fromEntries and spread define own properties, so a field called "__proto__" is only a field.
  return newer.length === 0 ? fields : { ...fields, ...Object.fromEntries(newer) };
}

/** The value of a field, `null` where nobody has set it. */
export function fieldValue(fields: FoldedFields, name: string): FieldValue {
  return Object.hasOwn(fields, name) ? (fields[name]?.value ?? null) : null;
}

function isAbove(a: FoldedField, b: FoldedField | undefined): boolean {
  if (b === undefined) return true;
  if (a.version !== b.version) return a.version > b.version;
  if (a.time !== b.time) return a.time > b.time;
  return JSON.stringify(a.value) > JSON.stringify(b.value);
}
