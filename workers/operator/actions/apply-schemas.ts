import type { Db } from "../../../shared/postgres/db.ts";
import type { RegistryClient } from "../../../shared/avro/registry.ts";
import type { SchemaHistory } from "../../../shared/avro/files.ts";
import { audited, type ChangeAuthor } from "../audit.ts";

const level = "FULL_TRANSITIVE";

/** Reads the committed schemas: see `readSoundSchemas`. */
export type ReadSchemas = () => Promise<readonly SchemaHistory[]>;

export type SubjectState = Readonly<{
  subject: string;
  /** Versions in this checkout, and in the registry. */
  committed: number;
  registered: number;
  /** Of the newest committed version. */
  id: number | null;
  compatibility: string | null;
  state: "as wanted" | "not registered" | "other compatibility" | "registry is ahead";
  /** What `apply` did. */
  changes: readonly string[];
}>;

async function look(registry: RegistryClient, history: SchemaHistory): Promise<SubjectState> {
  const { subject, versions, current } = history;
  const found = await registry.lookup(subject, JSON.stringify(current.schema));
  const [registered, compatibility] = await Promise.all([registry.versions(subject), registry.compatibility(subject)]);
  const state =
    found === null
      ? "not registered"
      : compatibility !== level
        ? "other compatibility"
        : registered.length > versions.length
          ? "registry is ahead"
          : "as wanted";
  return {
    subject,
    committed: versions.length,
    registered: registered.length,
    id: found?.id ?? null,
    compatibility,
    state,
    changes: [],
  };
}

async function apply(registry: RegistryClient, history: SchemaHistory): Promise<SubjectState> {
  const { subject, versions } = history;
  const changes: string[] = [];
  const known = await registry.versions(subject);
  const before = await registry.compatibility(subject);
  const setLevel = async () => {
    if (before === level) return;
    await registry.setCompatibility(subject, level);
    changes.push(`compatibility ${before ?? "global"} -> ${level}`);
  };
  // Redpanda's registry takes a level for a subject that has no version yet, older ones of others do not.
  if (known.length > 0) await setLevel();
  for (const { schema, version, path } of versions) {
    const text = JSON.stringify(schema);
    if ((await registry.lookup(subject, text)) !== null) continue;
    const { id } = await registry.register(subject, text).catch((error: unknown) => {
      throw new Error(`schemas/${path} was not registered under ${subject}`, { cause: error });
    });
    changes.push(`registered v${version} as ${id}`);
  }
  if (known.length === 0) await setLevel();
  return { ...(await look(registry, history)), changes };
}

/** Every subject as it is committed and as it is registered. Rejects with what `readSchemas` rejects with. */
export async function lookAtSchemas(
  registry: RegistryClient,
  readSchemas: ReadSchemas,
): Promise<readonly SubjectState[]> {
  return each(look, registry, await readSchemas());
}

/**
 * Sets the level on every subject and registers what is missing, oldest version first. Safe to run twice. The registry
 * stands apart from the database: without `db`, as where none is set, nothing is audited.
 */
export async function applySchemas(
  registry: RegistryClient,
  { db, by, readSchemas }: Readonly<{ db: Db | null; by: ChangeAuthor; readSchemas: ReadSchemas }>,
): Promise<readonly SubjectState[]> {
  const histories = await readSchemas();
  const missing = (await each(look, registry, histories)).filter(({ state }) => state !== "as wanted");
  const work = () => each(apply, registry, histories);
  if (missing.length === 0 || db === null) return work();
  const plan = { subjects: missing.map(({ subject, state }) => ({ subject, state })) };
  return audited(db.sql, by, { action: "schemas apply", plan }, work);
}

async function each(
  act: typeof look,
  registry: RegistryClient,
  histories: readonly SchemaHistory[],
): Promise<readonly SubjectState[]> {
  const states: SubjectState[] = [];
  // One after the other: an error then says how far it got, and ids are given in the order of the topics.
  for (const history of histories) states.push(await act(registry, history));
  return states;
}
