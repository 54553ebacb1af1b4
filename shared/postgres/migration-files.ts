import { createHash } from "node:crypto";
import { readdir, readFile } from "node:fs/promises";
import type { Sql, Tx } from "./sql.ts";

export type Migration = Readonly<{ role: string; name: string; checksum: string; sql: string }>;
/**
 * Migrations whose text was changed after some had applied it, with the same outcome, and what it was then. 0014 asked
 * the server for what not every Postgres tells, and could not be applied there at all; what it asked is asked by 0020
 * now.
 */
const reworded: Readonly<Record<string, string>> = {
  "shared/0014_database_history.sql": "07d9c1d0b78ff0e09a4f6b17fde9e943074e793ce9f1a1d0c7dc1b79b25325bc",
};

type AppliedMigration = Readonly<{ role: string; name: string; checksum: string }>;

const root = `${import.meta.dirname}/../..`;

/**
 * Every migration of this build in the order they are applied: shared first, then the roles by name; in each by file
 * name.
 */
export async function readMigrations(): Promise<readonly Migration[]> {
  const roles = (await names(`${root}/workers`)).map((role) => ({
    role,
    folder: `${root}/workers/${role}/migrations`,
  }));
  const sources = [{ role: "shared", folder: `${root}/shared/migrations` }, ...roles];
  const files = await Promise.all(
    sources.map(async ({ role, folder }) =>
      (await names(folder))
        .filter((name) => name.endsWith(".sql"))
        .map((name) => ({ role, name, path: `${folder}/${name}` })),
    ),
  );
  return Promise.all(
    files.flat().map(async ({ role, name, path }) => {
      const sql = (await readFile(path, "utf8")).replaceAll("\r\n", "\n");
      return { role, name, sql, checksum: createHash("sha256").update(sql).digest("hex") };
    }),
  );
}

/**
 * What is still to apply. Throws when the database has a migration this build does not know (it is newer than the
 * build), or one whose text has changed since.
 */
export function pendingMigrations(
  known: readonly Migration[],
  applied: readonly AppliedMigration[],
): readonly Migration[] {
  const label = (of: { role: string; name: string }) => `${of.role}/${of.name}`;
  const byLabel = new Map(known.map((migration) => [label(migration), migration]));
  const unknown = applied.filter((row) => !byLabel.has(label(row))).map(label);
  if (unknown.length > 0)
    throw new Error(
      `the database is newer than this build: it has ${unknown.join(", ")}. Start the build that migrated it`,
    );
  const changed = applied
    .filter((row) => ![byLabel.get(label(row))?.checksum, reworded[label(row)]].includes(row.checksum))
    .map(label);
  if (changed.length > 0)
    throw new Error(`migrations were changed after they were applied: ${changed.join(", ")}. Add a new one instead`);
  const done = new Set(applied.map(label));
  return known.filter((migration) => !done.has(label(migration)));
}

/** Rejects unless exactly the migrations of this build are applied. */
export async function checkMigrations(sql: Sql): Promise<void> {
  const pending = pendingMigrations(await readMigrations(), await appliedMigrations(sql));
  if (pending.length > 0)
    throw new Error(
      `the database is older than this build: ${pending.map(({ role, name }) => `${role}/${name}`).join(", ")} not applied. Run \`npx bun run ops migrate\``,
    );
}

/** Nothing in a database nobody has migrated. */
export async function appliedMigrations(sql: Sql | Tx): Promise<readonly AppliedMigration[]> {
  const [{ there } = { there: false }] = await sql<
    { there: boolean }[]
  >`select to_regclass('migrations') is not null as there`;
  return there ? await sql<AppliedMigration[]>`select role, name, checksum from migrations` : [];
}

async function names(folder: string): Promise<readonly string[]> {
  try {
    return (await readdir(folder)).sort();
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "ENOENT") return [];
    throw error;
  }
}
