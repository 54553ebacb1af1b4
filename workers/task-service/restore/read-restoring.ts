import type { Sql } from "../../../shared/postgres/db.ts";
import type { RestoreScope } from "./decide-restore.ts";

/** What a restore is about, looked up before it. */
export type Restoring = Readonly<{
  kind: "plain" | "occurrence" | "template";
  /** What it adds to what its owner has, as quotas count it. */
  adds: Readonly<{ open: number; kept: number; templates: number }>;
}>;

/** `null` where the user has no such task, deleted or not. */
export function readRestoring({ sql }: Readonly<{ sql: Sql }>) {
  return async (userId: string, id: string, scope: RestoreScope): Promise<Restoring | null> => {
    const [found] = await sql<(Pick<Restoring, "kind"> & Restoring["adds"])[]>`
      with asked as (
        select id, deleted_at,
          case when is_recurring_template then 'template' when template_id is not null then 'occurrence' else 'plain' end as kind,
          case when is_recurring_template then id else template_id end as series
        from tasks where id = ${id} and user_id = ${userId}
      ), template as (
        select id, deleted_at from tasks
        where id = (select series from asked) and user_id = ${userId} and ${scope} = 'all' and deleted_at is not null
      ), coming as (
        select tasks.status, tasks.is_recurring_template from tasks where id in (select id from asked) and deleted_at is not null
        union all
        select 'open', true from template where id not in (select id from asked)
        union all
        select tasks.status, false
        from template join tasks on tasks.template_id = template.id and tasks.deleted_at = template.deleted_at
        where tasks.id not in (select id from asked)
      )
      select kind, open, kept, templates from asked, (
        select count(*) filter (where status = 'open' and not is_recurring_template)::int as open, count(*)::int as kept,
          count(*) filter (where is_recurring_template)::int as templates
        from coming) as counted`;
    if (found === undefined) return null;
    const { kind, ...adds } = found;
    return { kind, adds };
  };
}
