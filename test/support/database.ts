import postgres from "postgres";
import { makeLog } from "../../shared/log.ts";
import { migrate } from "../../shared/postgres/migrate.ts";
import { readMigrations } from "../../shared/postgres/migration-files.ts";

/** A database of a test's own, migrated and otherwise empty. Disposing it drops it, whoever is still connected. */
export type FreshDatabase = AsyncDisposable & Readonly<{ url: string; name: string }>;

const templatePrefix = "taskwire_template_";
const testPrefix = "taskwire_test_";
const lockNumber = 7_145_620_118;
const hourMs = 3_600_000;

/** Copies the template of the current migrations, about 30 ms, in the server of DATABASE_URL; the first caller makes the template. */
export async function freshDatabase(): Promise<FreshDatabase> {
  const server = serverUrl();
  await using admin = openAdmin(server);
  const name = `${testPrefix}${Date.now().toString(36)}_${crypto.randomUUID().slice(0, 8)}`;
  for (let attempt = 0; ; attempt++) {
    const template = await ensureTemplate(admin.sql, server);
    try {
      await admin.sql.unsafe(`create database ${name} template ${template} strategy file_copy`);
      break;
    } catch (error) {
      // Another process has just replaced the template or is copying it in a way that excludes us.
      if (attempt === 20) throw error;
      await Bun.sleep(100);
    }
  }
  return {
    url: withDatabase(server, name),
    name,
    [Symbol.asyncDispose]: async () => {
      await using last = openAdmin(server);
      await last.sql.unsafe(`drop database if exists ${name} with (force)`);
    },
  };
}

/** An empty database: nothing migrated. */
export async function emptyDatabase(): Promise<FreshDatabase> {
  const server = serverUrl();
  const name = `${testPrefix}${Date.now().toString(36)}_${crypto.randomUUID().slice(0, 8)}`;
  await using admin = openAdmin(server);
  await admin.sql.unsafe(`create database ${name}`);
  return {
    url: withDatabase(server, name),
    name,
    [Symbol.asyncDispose]: async () => {
      await using last = openAdmin(server);
      await last.sql.unsafe(`drop database if exists ${name} with (force)`);
    },
  };
}

async function ensureTemplate(sql: postgres.Sql, server: string): Promise<string> {
  // The day is in the name because migrations make partitions from the day they run on.
  const text = (await readMigrations()).map((one) => one.checksum).join() + new Date().toISOString().slice(0, 10);
  const template = templatePrefix + new Bun.CryptoHasher("sha256").update(text).digest("hex").slice(0, 16);
  const there = async (): Promise<boolean> =>
    (await sql`select 1 from pg_database where datname = ${template}`).length === 1;
  if (await there()) return template;
  await sql`select pg_advisory_lock(${lockNumber})`;
  try {
    if (await there()) return template;
    const building = `${template}_building`;
    await sql.unsafe(`drop database if exists ${building} with (force)`);
    await sql.unsafe(`create database ${building}`);
    await migrate(withDatabase(server, building), { log: makeLog({}, "warn") });
    await dropLeftovers(sql);
    await sql.unsafe(`alter database ${building} rename to ${template}`);
    return template;
  } finally {
    await sql`select pg_advisory_unlock(${lockNumber})`;
  }
}

/** Templates of other migrations, and databases of test runs that were killed more than an hour ago. */
async function dropLeftovers(sql: postgres.Sql): Promise<void> {
  const rows = await sql<{ name: string }[]>`select datname as name from pg_database`;
  for (const { name } of rows) {
    const madeAt = name.startsWith(testPrefix) ? Number.parseInt(name.split("_")[2] ?? "", 36) : Date.now();
    const old = Date.now() - madeAt > hourMs;
    const template = name.startsWith(templatePrefix) && !name.endsWith("_building");
    if (old || template) await sql.unsafe(`drop database if exists "${name}" with (force)`);
  }
}

function openAdmin(url: string) {
  const sql = postgres(url, { max: 1, onnotice: () => {}, fetch_types: false });
  return { sql, [Symbol.asyncDispose]: () => sql.end({ timeout: 2 }) };
}

function serverUrl(): string {
  const url = process.env.DATABASE_URL;
  if (!url) throw new Error("DATABASE_URL is not set: the contract tests need a Postgres server");
  return url;
}

function withDatabase(server: string, name: string): string {
  const url = new URL(server);
  url.pathname = `/${name}`;
  return url.href;
}
