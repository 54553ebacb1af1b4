import { sql, type SQL } from "drizzle-orm";
import { tasks } from "../../../shared/tasks/task-table.ts";

// As in the database's search_fold: what words are parted by.
const separators = /[\s!-/:-@[-`{-~\u00A0-\u00BF\u2000-\u206F\u3000-\u303F]+/gu;

/** Whether there is anything in a text to search for. */
export function hasWord(text: string): boolean {
  return text.replaceAll(separators, "") !== "";
}

/**
 * Tasks that hold words which begin with each of those searched for, in title, description or tags. Case and accents do
 * not count, and words are not stemmed.
 */
export function hasWords(userId: string, text: string): SQL {
  return sql`${tasks.words} @@ search_query(${userId}::uuid, ${text})`;
}

/** Tasks with this very tag. */
export function hasTag(userId: string, tag: string): SQL {
  return sql`(${hasFoldedTag(userId, tag)} and ${tasks.tags} @> array[${tag}]::text[])`;
}

/** The same, but case and accents do not count. */
export function hasFoldedTag(userId: string, tag: string): SQL {
  return sql`${tasks.words} @@ search_tag(${userId}::uuid, ${tag})`;
}
