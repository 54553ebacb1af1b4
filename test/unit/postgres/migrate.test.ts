import { expect, test } from "bun:test";
import { pendingMigrations, readMigrations } from "../../../shared/postgres/migration-files.ts";

const migration = (role: string, name: string, checksum = "a") => ({ role, name, checksum, sql: "select 1" });
const known = [
  migration("shared", "0001_a.sql"),
  migration("shared", "0002_b.sql"),
  migration("task-service", "0001_t.sql"),
];

test("what is not applied yet is pending, in order", () => {
  expect(pendingMigrations(known, [])).toEqual(known);
  expect(pendingMigrations(known, [migration("shared", "0001_a.sql")]).map(({ name }) => name)).toEqual([
    "0002_b.sql",
    "0001_t.sql",
  ]);
  expect(pendingMigrations(known, known)).toEqual([]);
});

test("a database that has more than this build is newer and refused by name", () => {
  expect(() => pendingMigrations(known, [migration("shared", "0003_c.sql")])).toThrow(/newer.*shared\/0003_c\.sql/);
});

test("a migration whose text changed after it was applied is refused by name", () => {
  expect(() => pendingMigrations(known, [migration("shared", "0001_a.sql", "b")])).toThrow(
    /changed.*shared\/0001_a\.sql/,
  );
});

test("one that was reworded since, with the same outcome, is taken as applied; any other text is not", async () => {
  const all = await readMigrations();
  const applied = (checksum: string) =>
    all.map((one) => (one.name === "0014_database_history.sql" ? { ...one, checksum } : one));
  const first = "07d9c1d0b78ff0e09a4f6b17fde9e943074e793ce9f1a1d0c7dc1b79b25325bc";
  expect(pendingMigrations(all, applied(first))).toEqual([]);
  expect(() => pendingMigrations(all, applied("b"))).toThrow(/changed.*0014/);
});

test("migrations are read shared first, then by role, each by number", async () => {
  const labels = (await readMigrations()).map(({ role, name }) => `${role}/${name}`);
  expect(labels[0]).toBe("shared/0001_outbox.sql");
  const shared = labels.filter((label) => label.startsWith("shared/"));
  expect(labels.slice(0, shared.length)).toEqual(shared.toSorted());
  expect(labels.slice(shared.length)).toEqual(labels.slice(shared.length).toSorted());
});
