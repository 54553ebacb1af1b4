import { boolean, date, text, timestamp, uuid } from "drizzle-orm/pg-core";
import type { Priority, TaskCreated, TaskStatus } from "../messages/records.ts";

export const priorities = ["Low", "Medium", "High"] as const satisfies readonly Priority[];
const statuses = ["open", "completed"] as const satisfies readonly TaskStatus[];
const instant = () => timestamp({ withTimezone: true, mode: "date" });

/**
 * Every field of a task, said once, in the order answers show them: the column it is kept in, whose type is that of the
 * field in TaskCreated, and how it is set:
 * - `plain`: by a person, and kept as they said it
 * - `due`, `recurrence`: by a person, under rules of their own: see `resolveDue`, `fillPattern`
 * - `once`: when the task is made
 * - `state`: by what happens to the task; TaskCreated does not carry it Of a plain field: whether an occurrence takes
 *   it from its template and follows it, and the property it has in a calendar, where that is one line. `json`: text in
 *   the table and in events, the value itself in answers.
 */
export const taskFields = {
  title: { set: "plain", column: text().notNull(), inherited: true, calendar: "SUMMARY" },
  description: { set: "plain", column: text(), inherited: true, calendar: "DESCRIPTION" },
  created_at: { set: "once", column: instant().notNull() },
  updated_at: { set: "state", column: instant().notNull() },
  due_date: { set: "due", column: instant() },
  due_on: { set: "due", column: date({ mode: "string" }) },
  due_tz: { set: "due", column: text() },
  priority: { set: "plain", column: text({ enum: priorities }), inherited: true, calendar: "PRIORITY" },
  tags: { set: "plain", column: text().array().notNull().default([]), inherited: true, calendar: "CATEGORIES" },
  remind: { set: "plain", column: text().array(), inherited: true, calendar: null },
  status: { set: "state", column: text({ enum: statuses }).notNull().default("open") },
  completed_at: { set: "state", column: instant() },
  deleted_at: { set: "state", column: instant() },
  is_recurring_template: { set: "recurrence", column: boolean().notNull().default(false) },
  recurrence_pattern: { set: "recurrence", column: text(), json: true },
  template_id: { set: "once", column: uuid() },
  recurrence_id: { set: "once", column: text() },
} as const satisfies { [F in ToldField]: ToldSpec } & { [F in StateField]: StateSpec };

/**
 * What TaskCreated carries beside whose task it is: a new field of the schema needs its line above, and the other way
 * round.
 */
type ToldField = Exclude<keyof TaskCreated, "id" | "user_id">;
type StateField = "updated_at" | "status" | "completed_at" | "deleted_at";
type ToldSpec = PlainSpec | Readonly<{ set: "due" | "recurrence" | "once"; column: object; json?: true }>;
type PlainSpec = Readonly<{ set: "plain"; column: object; inherited: boolean; calendar: string | null }>;
type StateSpec = Readonly<{ set: "state"; column: object }>;

type TaskFieldTable = typeof taskFields;
export type TaskField = keyof TaskFieldTable;
type FieldSetting = TaskFieldTable[TaskField]["set"];
/** The fields that are set in one of these ways. */
export type FieldSet<S extends FieldSetting> = {
  [F in TaskField]: TaskFieldTable[F]["set"] extends S ? F : never;
}[TaskField];
export type PlainField = FieldSet<"plain">;
type InheritedFieldOf<F extends PlainField> = TaskFieldTable[F]["inherited"] extends true ? F : never;
type InheritedField = { [F in PlainField]: InheritedFieldOf<F> }[PlainField];
type InCalendar<F extends PlainField> = TaskFieldTable[F]["calendar"] extends string ? F : never;
/** The fields that are one line of a VTODO, by their property. */
export type CalendarField = { [F in PlainField]: InCalendar<F> }[PlainField];
/** JSON text in the table and in events. */
export type JsonField = { [F in TaskField]: TaskFieldTable[F] extends { json: true } ? F : never }[TaskField];

export const taskFieldNames = keysOf(taskFields);
export const plainFields = fieldsSet("plain");
/** What a patch may name. */
export const patchFields = fieldsSet("plain", "due", "recurrence");
/** What TaskCreated carries. */
export const createdFields = fieldsSet("plain", "due", "recurrence", "once");
export const inheritedFields = plainFields.filter((name): name is InheritedField => taskFields[name].inherited);

export function isJson(name: TaskField): name is JsonField {
  return "json" in taskFields[name];
}

function fieldsSet<S extends FieldSetting>(...ways: readonly S[]): readonly FieldSet<S>[] {
  const isSet = (name: TaskField): name is FieldSet<S> => (ways as readonly string[]).includes(taskFields[name].set);
  return taskFieldNames.filter(isSet);
}

/** The keys of a constant: it has no others than its type says. */
function keysOf<K extends string>(of: Readonly<Record<K, unknown>>): readonly K[] {
  return Object.keys(of) as K[];
}
