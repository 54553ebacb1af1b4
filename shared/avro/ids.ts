import { classify } from "../consume/failure/classify.ts";
import type { Sql } from "../postgres/db.ts";
import type { Log } from "../role/log.ts";
import type { MessageType } from "../messages/message.ts";
import type { RegistryClient } from "./registry.ts";
import { cacheSchemas, readCachedSchemas, type CachedSchema } from "./cache.ts";
import type { SchemaHistory } from "./files.ts";
import { schemaFingerprint, textFingerprint } from "./fingerprint.ts";
import { openRegistryTurns, waitForTurn } from "./registry-turn.ts";

type SchemaIds = Readonly<{
  /** The id each record of this build is written under. */
  ids: ReadonlyMap<MessageType, number>;
  /** Everything known about ids so far. */
  known: readonly CachedSchema[];
}>;

type ResolveOptions = Readonly<{
  registry: RegistryClient;
  sql: Sql | null;
  log: Log;
  /** Ends the waiting for a turn, with its reason. */
  signal?: AbortSignal | undefined;
}>;

/**
 * Finds the id of every current schema: asks the registry, one role of the deployment at a time, unless another has
 * just done so, and falls back to the cache when it cannot be reached.
 * Refuses a registry that gives a known id another meaning: every record written so far would be misread. Rejects with
 * Problem UNAVAILABLE when the registry is unreachable and the cache does not know them all, and with a plain Error
 * when a schema is not registered.
 */
export async function resolveSchemaIds(
  histories: readonly SchemaHistory[],
  { registry, sql, log, signal }: ResolveOptions,
): Promise<SchemaIds> {
  if (sql === null) return await askRegistry(histories, { registry, log, cached: [] });
  const turns = openRegistryTurns(sql, registry.address);
  for (;;) {
    const cached = await readCachedSchemas(sql);
    const ids = idsFromCache(histories, cached);
    const fallBack = (cause: unknown): SchemaIds | null => {
      if (ids === null) return null;
      log.warn("registry_down_using_cache", { schemas: cached.length, error: cause });
      return { ids, known: cached };
    };
    const news = await turns.news();
    if (ids !== null && news === "confirmed") return { ids, known: cached };
    const known = news === "failed" ? fallBack("another role could not reach it") : null;
    if (known !== null) return known;
    try {
      const found = await turns.take(async ({ keep }) => {
        const all = await askRegistry(histories, { registry, log, cached, between: keep });
        await cacheSchemas(sql, all.known.slice(cached.length));
        return all;
      });
      if (found !== null) return found;
    } catch (error) {
      // Or nobody can take a turn, because Postgres takes no writes.
      const known = classify(error) === "dependency_down" ? fallBack(error) : null;
      if (known === null) throw error;
      return known;
    }
    await waitForTurn(signal);
  }
}

/**
 * One call after the other: a registry that is slow is not made slower, and one that is gone is noticed by the first.
 */
async function askRegistry(
  histories: readonly SchemaHistory[],
  {
    registry,
    log,
    cached,
    between = async () => {},
  }: Readonly<{
    registry: RegistryClient;
    log: Log;
    cached: readonly CachedSchema[];
    between?: () => Promise<void>;
  }>,
): Promise<SchemaIds> {
  for (const schema of cached) {
    await confirm(registry, schema, log);
    await between();
  }
  const ids = new Map<MessageType, number>();
  const found: CachedSchema[] = [];
  for (const history of histories) {
    const current = await findCurrent(registry, history);
    ids.set(history.type, current.id);
    found.push(current);
    await between();
  }
  return { ids, known: [...cached, ...found] };
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
