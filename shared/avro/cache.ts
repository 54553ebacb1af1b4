import type { Sql } from "../postgres/db.ts";

/** What a schema id means, as the registry once said. */
export type CachedSchema = Readonly<{ id: number; subject: string | null; fingerprint: string; schema: string }>;

/** Every schema any role has met, by id. */
export async function readCachedSchemas(sql: Sql): Promise<readonly CachedSchema[]> {
  return sql<CachedSchema[]>`select id::int, subject, fingerprint, schema from schema_cache order by id`;
}

export async function readCachedSchema(sql: Sql, id: number): Promise<CachedSchema | null> {
  const [found] = await sql<CachedSchema[]>`
    select id::int, subject, fingerprint, schema from schema_cache where id = ${id}`;
  return found ?? null;
}

/** Remembers schemas. What an id means never changes: the first to write it wins, and the others have read the same. */
export async function cacheSchemas(sql: Sql, schemas: readonly CachedSchema[]): Promise<void> {
  if (schemas.length === 0) return;
  const rows = schemas.toSorted((a, b) => a.id - b.id);
  await sql`
    insert into schema_cache (id, subject, fingerprint, schema)
    select * from unnest(
      ${rows.map(({ id }) => id)}::bigint[], ${rows.map(({ subject }) => subject)}::text[],
      ${rows.map(({ fingerprint }) => fingerprint)}::text[], ${rows.map(({ schema }) => schema)}::text[])
    on conflict (id) do update set subject = coalesce(schema_cache.subject, excluded.subject)
    where schema_cache.subject is null and excluded.subject is not null`;
}
