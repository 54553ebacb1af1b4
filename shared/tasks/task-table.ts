import { sql } from "drizzle-orm";
import { bigint, customType, index, pgTable, text, timestamp, uniqueIndex, uuid } from "drizzle-orm/pg-core";
import { taskFieldNames, taskFields, type TaskField } from "./task-fields.ts";

const searchWords = customType<{ data: string }>({ dataType: () => "tsvector" });

/** Tasks, templates and occurrences, deleted ones too. Written by task-service; a column has the name of its field. */
export const tasks = pgTable(
  "tasks",
  {
    id: uuid().primaryKey(),
    user_id: uuid().notNull(),
    ...fieldColumns(),
    version: bigint({ mode: "number" }).notNull().default(1),
    /** What the due was said as, of no use where `due_date` is not `due_local_at` any more. */
    due_local: text(),
    due_local_at: timestamp({ withTimezone: true, mode: "date" }),
    /** Of a template as it was made: the id its first occurrence will have. */
    first_occurrence: uuid(),
    /** What it is found by; the database makes it of the fields. */
    words: searchWords()
      .generatedAlwaysAs(sql`search_words(user_id, title, description, tags)`)
      .notNull(),
  },
  (table) => [
    index("tasks_first_occurrence")
      .on(table.first_occurrence)
      .where(sql`${table.first_occurrence} is not null`),
    index("tasks_of_user")
      .on(table.user_id, table.created_at.desc(), table.id.desc())
      .where(sql`${table.deleted_at} is null`),
    index("tasks_deleted")
      .on(table.user_id, table.deleted_at.desc(), table.id.desc())
      .where(sql`${table.deleted_at} is not null`),
    index("tasks_due_local")
      .on(table.id)
      .where(sql`${table.due_local} is not null and ${table.status} = 'open' and ${table.deleted_at} is null`),
    index("tasks_made_at_once")
      .on(table.user_id, table.created_at)
      .where(
        sql`${table.deleted_at} is not null and (${table.is_recurring_template} or ${table.template_id} is not null)`,
      ),
    index("tasks_words")
      .using("gin", table.words)
      .where(sql`${table.deleted_at} is null`),
    uniqueIndex("tasks_occurrence")
      .on(table.template_id, table.recurrence_id)
      .where(sql`${table.template_id} is not null`),
  ],
);

/** A row of the table, and what must be given to make one. */
export type StoredTask = ReadonlyRow<typeof tasks.$inferSelect>;
export type NewStoredTask = ReadonlyRow<typeof tasks.$inferInsert>;
/** Arrays are read-only, too. */
export type ReadonlyRow<T> = { readonly [K in keyof T]: ReadonlyValue<T[K]> };
type ReadonlyValue<V> = V extends (infer U)[] ? readonly U[] : V;

type Columns = { readonly [F in TaskField]: (typeof taskFields)[F]["column"] };

// fromEntries forgets which column belongs to which name.
function fieldColumns(): Columns {
  return Object.fromEntries(taskFieldNames.map((name) => [name, taskFields[name].column])) as Columns;
}
