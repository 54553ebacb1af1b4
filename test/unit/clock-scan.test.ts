import { expect, test } from "bun:test";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";

const root = join(import.meta.dir, "../..");

/** Who may read the process's own clock, and why it decides nothing there. */
const allowed: Readonly<Record<string, string>> = {
  "shared/role/role-clock.ts": "compares it with the database's and tells how far it is off",
  "shared/role/log.ts": "the time of a line of the log, shown only",
  "shared/http/http-app.ts": "the Date header of an answer, shown only",
  "shared/uuid.ts": "the order of ids, where nothing else gives them a time; nobody reads a time from them",
  "shared/timers/wakeups.ts":
    "BullMQ compares it with the same clock of the same process; the database decides what is due",
  "workers/operator/commands/lag.ts": "seconds of lag where no database can be asked, and the log says so",
};
/**
 * Pages in browsers: what they show is by the clock the person sees. Servers get no time from them that they would
 * trust.
 */
const pages = /^workers\/(ui-gateway|operator)\/page\//;

/** Ways to the process's clock: without an argument, a Date is now. */
const reads = [
  /\bDate\.now\b/,
  /\bnew Date\(\s*\)/,
  /\bnew Date\b(?!\s*\()/,
  /(?<!new )(?<![\w.])Date\(\s*\)/,
  /\bTemporal\.Now\b/,
  /\bperformance\.timeOrigin\b/,
  /\bprocess\.hrtime\b/,
];

function readsClock(source: string): boolean {
  const code = source.replaceAll(/\/\*[\s\S]*?\*\//g, "").replaceAll(/(^|\s)\/\/.*$/gm, "");
  return reads.some((pattern) => pattern.test(code));
}

const files = ["workers", "shared"].flatMap((top) =>
  readdirSync(join(root, top), { recursive: true, encoding: "utf8" })
    .filter((path) => path.endsWith(".ts"))
    .map((path) => join(top, path))
    .filter((path) => !pages.test(path)),
);
const sourceOf = (file: string) => readFileSync(join(root, file), "utf8");

test("nobody reads the process's clock but those who say why: `now` of the role is the database's", () => {
  expect(files.filter((file) => readsClock(sourceOf(file))).sort()).toEqual(Object.keys(allowed).sort());
});

test("the scan sees every way to the process's clock, and no date that is given", () => {
  for (const line of [
    "Date.now()",
    "const now = Date.now;",
    "new Date()",
    "new Date;",
    "Date()",
    "Temporal.Now.instant()",
  ])
    expect([line, readsClock(line)]).toEqual([line, true]);
  for (const line of [
    "new Date(text)",
    "Date.parse(text)",
    "value instanceof Date",
    "// new Date()",
    "Date.UTC(2026, 1)",
  ])
    expect([line, readsClock(line)]).toEqual([line, false]);
});

test("every role takes its time from its database", () => {
  const mains = files.filter((file) => /^workers\/[^/]+\/main\.ts$/.test(file));
  expect(mains.length).toBeGreaterThan(8);
  expect(mains.filter((file) => !/openDb\(config\.database, \{[^}]*\bstarting: role\b/.test(sourceOf(file)))).toEqual(
    [],
  );
});
