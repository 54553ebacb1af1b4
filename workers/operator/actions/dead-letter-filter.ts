import type { Sql, Tx } from "../../../shared/postgres/db.ts";
import type { GroupName } from "../../../shared/messages/topics.ts";

export const deadLetterStates = ["dead", "redriven", "dropped", "edited"] as const;
export type DeadLetterState = (typeof deadLetterStates)[number];

/** Which dead letters: those that fit all that is not null. Times are when a group gave up on them, `to` excluded. */
export type DeadLetterFilter = Readonly<{
  group: GroupName | null;
  state: DeadLetterState | null;
  ids: readonly string[] | null;
  fingerprint: string | null;
  key: string | null;
  user: string | null;
  class: string | null;
  from: Date | null;
  to: Date | null;
}>;

/** The condition on `dead_letters` that a filter is. */
export function fits(sql: Sql | Tx, filter: DeadLetterFilter) {
  return sql`(${filter.group}::text is null or group_name = ${filter.group})
    and (${filter.state}::text is null or state = ${filter.state})
    and (${filter.ids === null}::boolean or id = any(${[...(filter.ids ?? [])]}::uuid[]))
    and (${filter.fingerprint}::text is null or fingerprint = ${filter.fingerprint})
    and (${filter.key}::text is null or key = ${filter.key})
    and (${filter.user}::uuid is null or user_id = ${filter.user})
    and (${filter.class}::text is null or class = ${filter.class})
    and (${filter.from}::timestamptz is null or dead_at >= ${filter.from})
    and (${filter.to}::timestamptz is null or dead_at < ${filter.to})`;
}

/** A filter as JSON gave it back: its times are text. */
export function revivedFilter(stored: unknown): DeadLetterFilter {
  // Written by this role, from a filter.
  const filter = stored as DeadLetterFilter & { from: string | null; to: string | null };
  const time = (text: string | null) => (text === null ? null : new Date(text));
  return { ...filter, from: time(filter.from), to: time(filter.to) };
}
