import type { Sql } from "../postgres/db.ts";
import type { Log } from "../log.ts";
import type { MessageType } from "../message.ts";
import { Problem } from "../problem.ts";
import type { RegistryClient } from "../registry.ts";
import { cacheSchemas, readCachedSchemas, type CachedSchema } from "./cache.ts";
import type { SchemaHistory } from "./files.ts";
import { schemaFingerprint, textFingerprint } from "./fingerprint.ts";

export type SchemaIds = Readonly<{
  /** The id each record of this build is written under. */
  ids: ReadonlyMap<MessageType, number>;
  /** Everything known about ids so far. */
  known: readonly CachedSchema[];
}>;

/**
 * Finds the id of every current schema: asks the registry, and falls back to the cache when it cannot be reached.
 * Refuses a registry that gives a known id another meaning: every record written so far would be misread.
 * Rejects with Problem UNAVAILABLE when the registry is unreachable and the cache does not know them all, and with a plain
 * Error when a schema is not registered.
 */
export async function resolveSchemaIds(
  histories: readonly SchemaHistory[],
  { registry, sql, log }: Readonly<{ registry: RegistryClient; sql: Sql | null; log: Log }>,
): Promise<SchemaIds> {
  const cached = sql === null ? [] : await readCachedSchemas(sql);
  try {
    await Promise.all(cached.map((schema) => confirm(registry, schema, log)));
    const found = await Promise.all(histories.map((history) => findCurrent(registry, history)));
    if (sql !== null) await cacheSchemas(sql, found);
    return {
      ids: new Map(histories.map(({ type }, index) => [type, found[index]?.id ?? 0])),
      known: [...cached, ...found],
    };
  } catch (error) {
    if (!(error instanceof Problem) || error.code !== "UNAVAILABLE") throw error;
    const ids = idsFromCache(histories, cached);
    if (ids === null) throw error;
    log.warn("registry_down_using_cache", { schemas: cached.length, error: error.cause });
    return { ids, known: cached };
  }
}

async function findCurrent(registry: RegistryClient, { subject, current }: SchemaHistory): Promise<CachedSchema> {
  const found = await registry.lookup(subject, JSON.stringify(current.schema));
  if (found === null)
    throw new Error(`schemas/${current.path} is not registered under ${subject}: run \`ops schemas apply\``);
  const fingerprint = schemaFingerprint(current.schema);
  const schema = await registry.schemaById(found.id);
  if (schema === null || textFingerprint(schema) !== fingerprint)
    throw new Error(`the registry's schema ${found.id} of ${subject} is not what schemas/${current.path} says`);
  return { id: found.id, subject, fingerprint, schema };
}

async function confirm(registry: RegistryClient, cached: CachedSchema, log: Log): Promise<void> {
  const schema = await registry.schemaById(cached.id);
  if (schema === null) return log.warn("schema_missing_in_registry", { id: cached.id, subject: cached.subject });
  if (textFingerprint(schema) !== cached.fingerprint)
    throw new Error(
      `the registry's schema ${cached.id} is not the one records were written with (${cached.subject ?? "read only"}): ` +
        "this is another registry, or one that was rebuilt; restore it, or records would be misread",
    );
}

function idsFromCache(
  histories: readonly SchemaHistory[],
  cached: readonly CachedSchema[],
): ReadonlyMap<MessageType, number> | null {
  const ids = new Map<MessageType, number>();
  for (const { type, subject, current } of histories) {
    const fingerprint = schemaFingerprint(current.schema);
    const found = cached.findLast((schema) => schema.subject === subject && schema.fingerprint === fingerprint);
    if (found === undefined) return null;
    ids.set(type, found.id);
  }
  return ids;
}
