import { expect, test } from "bun:test";
import { readdirSync, existsSync, readFileSync } from "node:fs";
import { dirname, join, normalize, relative } from "node:path";
import { groupNames, roleNames } from "../../shared/messages/topics.ts";

const root = join(import.meta.dir, "../..");
const transpiler = new Bun.Transpiler({ loader: "ts" });

/**
 * Everything a file imports, types included: the transpiler drops those, so `import type` and `export … from` are read
 * as text.
 */
function importsOf(source: string): readonly string[] {
  const typed = [...source.matchAll(/(?:import|export)\s+(?:type\s+)?[^"';]*?from\s+"([^"]+)"/g)].map(
    (match) => match[1] ?? "",
  );
  return [...new Set([...typed, ...transpiler.scanImports(source).map((found) => found.path)])];
}

/** The layer a path belongs to: `shared`, `schemas`, `dev`, `test`, or one role. */
function layerOf(path: string): string {
  const [top = "", role = ""] = path.split("/");
  return top === "workers" ? `workers/${role}` : top;
}

function mayImport(from: string, to: string): boolean {
  if (from === to) return true;
  if (from.startsWith("workers/")) return to === "shared" || to === "schemas";
  // Its version is the build's.
  if (from === "shared") return to === "schemas" || to === "package.json";
  if (from === "schemas") return false;
  return true;
}

function filesBelow(top: string): readonly string[] {
  return readdirSync(join(root, top), { recursive: true, encoding: "utf8" })
    .filter((path) => path.endsWith(".ts"))
    .map((path) => join(top, path));
}

const files = ["workers", "shared", "schemas"].flatMap(filesBelow);

/** The files of the checkout that a file imports. */
function targetsOf(file: string, source: string): readonly string[] {
  return importsOf(source)
    .filter((path) => path.startsWith("."))
    .map((path) => relative(root, normalize(join(root, dirname(file), path))));
}

function violations(file: string, source: string): readonly string[] {
  return targetsOf(file, source)
    .filter((target) => !mayImport(layerOf(file), layerOf(target)))
    .map((target) => `${file} imports ${target}`);
}

test("imports point one way: a role to shared, shared to schemas, never role to role", () => {
  expect(files.flatMap((file) => violations(file, readFileSync(join(root, file), "utf8")))).toEqual([]);
});

test("the scan sees value imports, type imports, re-exports and dynamic imports", () => {
  const file = "shared/planted.ts";
  for (const line of [
    'import { x } from "../workers/ui-gateway/app.ts"; console.log(x);',
    'import type { X } from "../workers/ui-gateway/app.ts";',
    'export { x } from "../workers/ui-gateway/app.ts";',
    'export const x = await import("../workers/ui-gateway/app.ts");',
  ])
    expect(violations(file, line)).toEqual(["shared/planted.ts imports workers/ui-gateway/app.ts"]);
});

type Imports = ReadonlyMap<string, readonly string[]>;

const imports: Imports = new Map(
  [...files, ...["dev", "test"].flatMap(filesBelow)].map((file) => [
    file,
    targetsOf(file, readFileSync(join(root, file), "utf8")),
  ]),
);

/** A way from a file back to itself, for each file that first closes one. */
function circlesOf(graph: Imports): readonly (readonly string[])[] {
  const circles: (readonly string[])[] = [];
  const done = new Set<string>();
  const visit = (file: string, path: readonly string[]): void => {
    const at = path.indexOf(file);
    if (at >= 0) circles.push([...path.slice(at), file]);
    if (at >= 0 || done.has(file)) return;
    for (const target of graph.get(file) ?? []) visit(target, [...path, file]);
    done.add(file);
  };
  for (const file of graph.keys()) visit(file, []);
  return circles;
}

test("no file imports itself by way of others, types included", () => {
  expect(circlesOf(imports)).toEqual([]);
  const planted = new Map([...imports, ["shared/waiting/wait.ts", ["shared/waiting/poll-until.ts"]]]);
  expect(circlesOf(planted)).toEqual([
    ["shared/waiting/wait.ts", "shared/waiting/poll-until.ts", "shared/waiting/wait.ts"],
  ]);
});

/** The roles that reach each file by what they import. */
function usersOf(graph: Imports): ReadonlyMap<string, ReadonlySet<string>> {
  const users = new Map<string, Set<string>>();
  for (const role of roleNames) {
    const reach = (file: string): void => {
      const known = users.get(file) ?? new Set();
      if (known.has(role)) return;
      users.set(file, known.add(role));
      graph.get(file)?.forEach(reach);
    };
    [...graph.keys()].filter((file) => layerOf(file) === `workers/${role}`).forEach(reach);
  }
  return users;
}

/** What stands in shared/ although fewer than two roles use it. */
const alone: Readonly<Record<string, string>> = {
  "shared/consume/dead-letters/redrive-dead.ts": "an operator changes queues by the code that knows them",
  "shared/consume/parking/retry-parked-now.ts": "the same",
  "shared/consume/parking/skip-parked-head.ts": "the same",
  "shared/consume/reset-group.ts": "the same",
};

function lonely(graph: Imports): readonly string[] {
  const users = usersOf(graph);
  return [...graph.keys()]
    .filter((file) => layerOf(file) === "shared")
    .filter((file) => (users.get(file)?.size ?? 0) < 2);
}

test("a file of shared/ is used by two roles at least; what one uses is that role's", () => {
  expect(lonely(imports).toSorted()).toEqual(Object.keys(alone).toSorted());
  const planted = new Map([...imports, ["shared/planted.ts", []], ["workers/ui-gateway/x.ts", ["shared/planted.ts"]]]);
  expect(lonely(planted)).toContain("shared/planted.ts");
});

/**
 * Files that are imported by a name made at run time, stand in for a library, or are generated with more than is used.
 */
const takenOtherwise =
  /^(test\/bench\/[^/]+|test\/node\/bun-test|dev\/zones\/pack-zones|test\/support\/api-schema|shared\/messages\/records)\.ts$/;

type Sources = ReadonlyMap<string, string>;
const sources: Sources = new Map([...imports.keys()].map((file) => [file, readFileSync(join(root, file), "utf8")]));

/** What files take of each other, as `file name`; `file *` for all that is there. */
function takenNames(from: Sources): ReadonlySet<string> {
  const taken = [...from].flatMap(([file, source]) => {
    const targetOf = (path: string) => relative(root, normalize(join(root, dirname(file), path)));
    const named = [...source.matchAll(/(?:import|export)\s+([^"';]*?)\s*from\s+"(\.[^"]+)"/g)].flatMap(
      ([, what = "", path = ""]) => {
        const names = (/\{([^}]*)\}/.exec(what)?.[1] ?? "").split(",");
        const own = names.map(
          (name) =>
            name
              .trim()
              .replace(/^type\s+/, "")
              .split(/\s+as\s+/)[0] ?? "",
        );
        return [...(what.includes("* as") ? ["*"] : []), ...own].map((name) => `${targetOf(path)} ${name}`);
      },
    );
    const late = [...source.matchAll(/import\(\s*"(\.[^"]+)"/g)].map(([, path = ""]) => `${targetOf(path)} *`);
    return [...named, ...late];
  });
  return new Set(taken);
}

function unusedExports(from: Sources): readonly string[] {
  const taken = takenNames(from);
  return [...from]
    .filter(([file]) => !takenOtherwise.test(file) && !taken.has(`${file} *`))
    .flatMap(([file, source]) =>
      [...source.matchAll(/^export (?:async )?(?:const|let|function\*?|type|class|interface) (\w+)/gm)]
        .map(([, name]) => `${file} ${name}`)
        .filter((name) => !taken.has(name)),
    );
}

test("what is exported is used by another file", () => {
  expect(unusedExports(sources)).toEqual([]);
  const planted = new Map([
    ...sources,
    ["shared/planted.ts", "export async function planted() {}\nexport type Sown = 1;"],
  ]);
  expect(unusedExports(planted)).toEqual(["shared/planted.ts planted", "shared/planted.ts Sown"]);
});

/** Names that more than one type has, each with the files that declare it. */
function sharedTypeNames(from: Sources): readonly string[] {
  const places = new Map<string, string[]>();
  for (const [file, source] of from)
    for (const [, name = ""] of source.matchAll(/^(?:export )?(?:type|interface|class) ([A-Z][A-Za-z0-9]*)/gm))
      places.set(name, [...(places.get(name) ?? []), file]);
  return [...places].filter(([, at]) => at.length > 1).map(([name, at]) => `${name}: ${at.join(", ")}`);
}

test("every type of the product has a name of its own", () => {
  const product = new Map([...sources].filter(([file]) => /^(shared|workers|dev)\//.test(file)));
  expect(sharedTypeNames(product)).toEqual([]);
  const planted = new Map([...product, ["shared/planted.ts", "export type Guard = 1;"]]);
  expect(sharedTypeNames(planted)).toEqual(["Guard: shared/consume/member/guard.ts, shared/planted.ts"]);
});

test("a library that must stay behind a port is imported by its own files only", () => {
  const allowed: Record<string, RegExp> = {
    "@platformatic/kafka": /^shared\/kafka/,
    "@confluentinc/kafka-javascript": /^shared\/librdkafka\//,
    bullmq: /^shared\/timers\//,
    // The timers' wake-ups, and what users spent, told after the request.
    ioredis: /^(shared\/timers\/wakeups|workers\/ui-gateway\/limits\/redis-ledger)\.ts$/,
    avsc: /^shared\/avro\//,
    postgres: /^shared\/postgres\//,
  };
  const strays = files.flatMap((file) =>
    importsOf(readFileSync(join(root, file), "utf8"))
      .filter((path) => allowed[path] && !allowed[path].test(file))
      .map((path) => `${file} imports ${path}`),
  );
  expect(strays).toEqual([]);
});

test("every role listens for signals before it loads anything else", () => {
  const mains = files.filter((file) => /^workers\/[^/]+\/main\.ts$/.test(file));
  expect(mains).toHaveLength(roleNames.length);
  for (const file of mains) {
    const [, first] = /^import[^"]*"([^"]+)"/m.exec(readFileSync(join(root, file), "utf8")) ?? [];
    expect([file, first]).toEqual([file, "../../shared/role/catch-signals.ts"]);
  }
});

test("workers/, the Procfile and the table of roles name the same roles", () => {
  const procfile = readFileSync(join(root, "Procfile"), "utf8")
    .split("\n")
    .filter((line) => line.includes(":"))
    .map((line) => line.slice(0, line.indexOf(":")));
  expect(procfile.toSorted()).toEqual(roleNames.toSorted());
  expect(readdirSync(join(root, "workers")).toSorted()).toEqual(roleNames.toSorted());
  for (const role of roleNames) expect(existsSync(join(root, "workers", role, "main.ts"))).toBe(true);
});

test("every group can be replayed: its role has the script that `ops replay` runs", () => {
  expect(groupNames.filter((group) => !existsSync(join(root, "workers", group, "replay.ts")))).toEqual([]);
});

test("main files stay a composition: at most 80 lines and no SQL", () => {
  for (const role of roleNames) {
    const source = readFileSync(join(root, "workers", role, "main.ts"), "utf8");
    expect({
      role,
      lines: source.split("\n").length <= 81,
      sql: /\b(select|insert into|update|delete from)\s/i.test(source.replaceAll(/\/\/.*/g, "")),
    }).toEqual({
      role,
      lines: true,
      sql: false,
    });
  }
});

test("comments are at most 120 columns wide", () => {
  const wide = [...files, ...filesBelow("dev"), ...filesBelow("test"), ...filesBelow("redpanda")].flatMap((file) =>
    readFileSync(join(root, file), "utf8")
      .split("\n")
      .flatMap((line, index) => (/^\s*(\/\/|\/?\*)/.test(line) && line.length > 120 ? [`${file}:${index + 1}`] : [])),
  );
  expect(wide).toEqual([]);
});

test("only the role runner with its signals, the command lines and development tools touch the process environment", () => {
  const strays = files.filter(
    (file) =>
      /process\.(env|exit|on)\b/.test(
        readFileSync(join(root, file), "utf8").replaceAll(/\/\/.*|\/\*[\s\S]*?\*\//g, ""),
      ) &&
      !/^(shared\/role\/(role|catch-signals|ops-script)\.ts|workers\/operator\/(main|ops)\.ts|workers\/ui-gateway\/edge\.ts)$/.test(
        file,
      ),
  );
  expect(strays).toEqual([]);
});

/**
 * Ways to ask the runtime, or Postgres, about a zone: their data age with them. A day or time without a zone has
 * nothing of that.
 */
const zoneQuestions = [
  /\bIntl\s*\.|\btimeZone\b|ZonedDateTime|Temporal\.Now\b|\.toLocale(?:Date|Time)?String\(/,
  /\.get(?:Hours|Day|Date|Month|FullYear|TimezoneOffset)\(/,
  /at time zone (?!'UTC')/i,
];

function asksAboutZones(source: string): boolean {
  const code = source.replaceAll(/\/\/.*|\/\*[\s\S]*?\*\//g, "");
  return zoneQuestions.some((question) => question.test(code));
}

test("only zoneClock is asked about zones on a server; pages have the browser's", () => {
  const servers = files.filter((file) => !/^workers\/[^/]+\/page\//.test(file));
  expect(servers.filter((file) => asksAboutZones(readFileSync(join(root, file), "utf8")))).toEqual([]);
});

test.each([
  'new Intl.DateTimeFormat("en", { timeZone: tz })',
  'date.toLocaleString("en", { timeZone: tz })',
  "Temporal.Instant.fromEpochMilliseconds(0).toZonedDateTimeISO(tz)",
  "Temporal.PlainDate.from(day).toZonedDateTime(tz)",
  'new Temporal.ZonedDateTime(0n, "UTC")',
  "Temporal.Now.plainDateISO()",
  "at.getHours()",
  "`select due_at at time zone ${tz}`",
])("the scan for questions about zones sees %p", (line) => {
  expect(asksAboutZones(line)).toBe(true);
});
