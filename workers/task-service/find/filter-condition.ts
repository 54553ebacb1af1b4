import { sql, type SQL } from "drizzle-orm";
import { tasks } from "../../../shared/tasks/task-table.ts";
import { dayOf } from "../calendar-days.ts";
import { all, isDue, isWithin, type Reader } from "./due-range.ts";
import type { FilterTree } from "./filter-tree.ts";
import { hasFoldedTag, hasWords } from "./search-words.ts";

/** A filter as a condition on a row of `tasks`. `not` means all the others, those without a due date too. */
export function filterCondition(tree: FilterTree, reader: Reader & Readonly<{ userId: string }>): SQL {
  const { zone, userId } = reader;
  switch (tree.is) {
    case "and":
      return all(tree.parts.map((part) => filterCondition(part, reader)));
    case "or":
      return sql`(${sql.join(
        tree.parts.map((part) => filterCondition(part, reader)),
        sql` or `,
      )})`;
    case "not":
      return sql`(${filterCondition(tree.part, reader)}) is not true`;
    case "time":
      return tree.time === "due" ? isDue(tree.span, zone) : isWithin(columnOf[tree.time], tree.span, zone);
    case "overdue":
      return overdue(reader);
    case "undated":
      return sql`(${tasks.due_date} is null and ${tasks.due_on} is null)`;
    case "all-day":
      return sql`${tasks.due_on} is not null`;
    case "priority":
      return tree.priority === null ? sql`${tasks.priority} is null` : sql`${tasks.priority} = ${tree.priority}`;
    case "tag":
      return hasFoldedTag(userId, tree.tag);
    case "untagged":
      return sql`${tasks.tags} = '{}'`;
    case "status":
      return sql`${tasks.status} = ${tree.status}`;
    case "recurring":
      return sql`(${tasks.template_id} is not null or ${tasks.is_recurring_template})`;
    case "text":
      return hasWords(userId, tree.text);
  }
}

const columnOf = {
  created: sql`${tasks.created_at}`,
  updated: sql`${tasks.updated_at}`,
  completed: sql`${tasks.completed_at}`,
} as const;

/** Open and past its due; an all-day task is not before its day has ended. */
function overdue({ now, zone }: Reader): SQL {
  const past = sql`(${tasks.due_date} < ${now.toISOString()}::timestamptz or ${tasks.due_on} < ${dayOf(now, zone)}::date)`;
  return sql`(${tasks.status} = 'open' and ${past})`;
}
