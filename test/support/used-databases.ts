import type postgres from "postgres";

/**
 * A copy of a template costs the file system five hundred files, and dropping it as many. A test's database is emptied
 * instead and lent to the next test, of whatever process: `taskwire_free_<template>_…` are there for the taking.
 */
type Sql = postgres.Sql;

/**
 * What makes a used database equal to a new one; kept as the comment of its template. `routines` are missing from a
 * template made earlier.
 */
type Pristine = Readonly<{
  shape: string;
  tables: readonly string[];
  routines?: readonly string[];
  rows: Readonly<Record<string, unknown[]>>;
}>;

/** Beyond this a table is truncated: dead rows would slow the next test's scans. */
const deletedBytes = 65_536;

/** Writes down in the comment of `template` what its copies hold when they are new; `inside` is connected to it. */
export async function describeTemplate(admin: Sql, inside: Sql, template: string): Promise<void> {
  const names = await inside<{ name: string; isFilled: boolean }[]>`
    select c.relname as name, pg_relation_size(c.oid) > 0 as "isFilled" from pg_class c
    where c.relkind in ('r', 'p') and c.relnamespace = 'public'::regnamespace order by 1`;
  const rows: Record<string, unknown[]> = {};
  for (const { name } of names.filter(({ isFilled }) => isFilled)) {
    const [all] = await inside<{ rows: unknown[] }[]>`
      select coalesce(jsonb_agg(to_jsonb(t)), '[]') as rows from ${inside(name)} t`;
    if (all && all.rows.length > 0) rows[name] = all.rows;
  }
  const routines = await inside<{ name: string }[]>`
    select oid::regprocedure::text as name from pg_proc where pronamespace = 'public'::regnamespace order by 1`;
  const pristine: Pristine = {
    shape: await shapeOf(inside),
    tables: names.map(({ name }) => name),
    routines: routines.map(({ name }) => name),
    rows,
  };
  await admin.unsafe(`comment on database ${template} is ${literal(JSON.stringify(pristine))}`);
}

/** Gives a free database of this template the name `name`; false when there is none. */
export async function takeUsed(admin: Sql, template: string, name: string): Promise<boolean> {
  const free = await admin<{ datname: string }[]>`
    select datname from pg_database where starts_with(datname, ${freePrefix(template)}) order by random()`;
  for (const { datname } of free) if (await rename(admin, datname, name)) return true; // else another process took it first
  return false;
}

/**
 * Disconnects whoever still uses `name`, empties it and makes it free. False when it cannot be made as new; then it is
 * as it was left, perhaps under another name, which is returned.
 */
export async function giveBack(
  admin: Sql,
  { name, template, connect }: Readonly<{ name: string; template: string; connect: (database: string) => Sql }>,
): Promise<Readonly<{ isFree: boolean; name: string }>> {
  // Under another name nobody who goes on using it can come back while it is emptied.
  const away = `${name}_used`;
  await disconnectAll(admin, name);
  if (!(await rename(admin, name, away))) return { isFree: false, name };
  const inside = connect(away);
  const isAsNew = await emptied(admin, inside, template).finally(() => inside.end({ timeout: 2 }));
  await disconnectAll(admin, away);
  const isFree = isAsNew && (await rename(admin, away, `${freePrefix(template)}${crypto.randomUUID().slice(0, 8)}`));
  return { isFree, name: away };
}

async function emptied(admin: Sql, inside: Sql, template: string): Promise<boolean> {
  const [comment] = await admin<{ text: string | null }[]>`
    select shobj_description(oid, 'pg_database') as text from pg_database where datname = ${template}`;
  if (!comment?.text) return false;
  const { shape, tables, routines = [], rows }: Pristine = JSON.parse(comment.text);
  await inside.begin(async (tx) => {
    await tx`set local session_replication_role = replica`;
    await tx.unsafe(emptying(tables, routines));
    for (const [table, of] of Object.entries(rows))
      await tx`insert into ${tx(table)} overriding system value
        select * from jsonb_populate_recordset(null::${tx(table)}, ${JSON.stringify(of)}::text::jsonb)`;
  });
  return (await shapeOf(inside)) === shape;
}

/** Drops what a test has made, and empties and restarts the rest. */
const emptying = (tables: readonly string[], routines: readonly string[]) => `
  do $$ declare one record; begin
    for one in select oid::regclass as name from pg_class
      where relkind in ('r', 'p') and relnamespace = 'public'::regnamespace
        and relname <> all (array[${tables.map(literal).join()}])
    loop execute format('drop table if exists %s cascade', one.name); end loop;
    for one in select oid::regprocedure as name from pg_proc
      where pronamespace = 'public'::regnamespace and oid::regprocedure::text <> all (array[${routines.map(literal).join()}]::text[])
    loop execute format('drop routine %s cascade', one.name); end loop;
    for one in select oid::regclass as name, pg_relation_size(oid) as size from pg_class
      where relkind = 'r' and relnamespace = 'public'::regnamespace and pg_relation_size(oid) > 0
    loop execute format(case when one.size > ${deletedBytes} then 'truncate %s cascade' else 'delete from %s' end, one.name); end loop;
    for one in select seqrelid::regclass as name, seqstart from pg_sequence
    loop perform setval(one.name, one.seqstart, false); end loop;
  end $$`;

/**
 * Equal for databases with the same tables, columns, defaults, constraints, indexes, functions, triggers and settings.
 */
async function shapeOf(inside: Sql): Promise<string> {
  const [row] = await inside<{ shape: string }[]>`
    with ours as (select oid, relname, relkind, reloptions, relpartbound from pg_class where relnamespace = 'public'::regnamespace)
    select md5(concat_ws(E'\n',
      (select string_agg(ours::text, E'\n' order by relname) from (select relname, relkind, reloptions, pg_get_expr(relpartbound, oid) from ours) ours),
      (select string_agg(concat_ws(' ', relname, attname, atttypid::regtype, attnum, attnotnull, attidentity, attgenerated, pg_get_expr(adbin, adrelid)), E'\n'
          order by relname, attnum)
        from ours join pg_attribute on attrelid = oid and attnum > 0 and not attisdropped
          left join pg_attrdef on adrelid = attrelid and adnum = attnum),
      (select string_agg(concat_ws(' ', relname, conname, pg_get_constraintdef(pg_constraint.oid), convalidated), E'\n' order by relname, conname)
        from ours join pg_constraint on conrelid = ours.oid),
      (select string_agg(pg_get_indexdef(indexrelid) || indisvalid, E'\n' order by indexrelid::regclass::text) from ours join pg_index on indrelid = ours.oid),
      (select string_agg(pg_get_functiondef(oid), E'\n' order by oid::regprocedure::text) from pg_proc where pronamespace = 'public'::regnamespace),
      (select string_agg(pg_get_triggerdef(pg_trigger.oid) || tgenabled::text, E'\n' order by relname, tgname) from ours join pg_trigger on tgrelid = ours.oid
        where not tgisinternal),
      (select string_agg(setconfig::text, E'\n') from pg_db_role_setting join pg_database on setdatabase = pg_database.oid
        where datname = current_database()))) as shape`;
  return row?.shape ?? "";
}

async function disconnectAll(admin: Sql, name: string): Promise<void> {
  await admin`select pg_terminate_backend(pid, 2000) from pg_stat_activity where datname = ${name}`;
}

async function rename(admin: Sql, from: string, to: string): Promise<boolean> {
  return admin.unsafe(`alter database ${from} rename to ${to}`).then(
    () => true,
    () => false,
  );
}

const freePrefix = (template: string) => `${template.replace("_template_", "_free_")}_`;
const literal = (text: string) => `'${text.replaceAll("'", "''")}'`;
