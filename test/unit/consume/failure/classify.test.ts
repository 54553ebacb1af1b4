import { describe, expect, test } from "bun:test";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import {
  classify,
  failureTable,
  isConflict,
  outageOf,
  retryAfterSeconds,
  type FailureClass,
} from "../../../../shared/consume/failure/classify.ts";
import { problemOf } from "../../../../shared/http/problem-response.ts";
import { makeMetrics } from "../../../../shared/role/metrics.ts";
import { describeOutage, makeOutages } from "../../../../shared/role/outages.ts";
import { Problem } from "../../../../shared/problem.ts";

const coded = (code: string, more: object = {}) => Object.assign(new Error(code), { code, ...more });
const fromPostgres = (code: string) => Object.assign(coded(code), { name: "PostgresError", severity: "ERROR" });
const fromKafka = (apiId: string) => coded("PLT_KFK_PROTOCOL", { apiId });
const named = (name: string) => Object.assign(new Error(name), { name });

/** An error as the table's mark describes it. */
function errorOf(mark: string): Error {
  const plain = mark.replace("*", mark.startsWith("SQLSTATE 57P") ? "01" : mark.startsWith("SQLSTATE") ? "000" : "X");
  if (plain.startsWith("SQLSTATE ")) return fromPostgres(plain.slice(9));
  if (mark.startsWith("REDIS "))
    return Object.assign(new Error(`${mark.slice(6)} whatever it says of it.`), { name: "ReplyError" });
  if (mark.startsWith("HTTP "))
    return Object.assign(new Error(mark), { status: Number(mark.slice(5).replace("*", "04")) });
  return coded(plain);
}

describe("every row of the table", () => {
  test.each(failureTable.map(([mark, is, why]) => [mark, is, why] as const))("%s is %s: %s", (mark, is) => {
    expect(classify(errorOf(mark))).toBe(is);
  });
  test("is certain where whoever fails says so of itself, and nowhere else", () => {
    const certain = failureTable.flatMap(([mark]) => (outageOf(errorOf(mark))?.isCertain ? [mark] : []));
    expect(certain.toSorted()).toEqual(
      [
        ...["25006", "53100", "53300", "57P03"].map((code) => `SQLSTATE ${code}`),
        "SCHEMA_INCOMPATIBLE",
        "UNAVAILABLE",
      ].toSorted(),
    );
  });
  test("is reachable: no earlier row has the same mark", () => {
    const marks = failureTable.map(([mark]) => mark);
    expect(new Set(marks).size).toBe(marks.length);
  });
  test("stands in the document, in its order", () => {
    const page = readFileSync(join(import.meta.dir, "../../../../redpanda/monitoring/failures.md"), "utf8");
    const rows = [...page.matchAll(/^\| `([^`]+)` +\| (\w+) +\| (.+?) +\|$/gm)].map(([, ...cells]) => cells);
    expect(rows).toEqual(failureTable.map((row) => [...row]));
  });
});

describe("an outage", () => {
  const down = failureTable.filter(([, is]) => is === "dependency_down").map(([mark]) => mark);
  test.each(down)("%s is told by what is down and how", (mark) => {
    const { dependency, reason } = describeOutage(errorOf(mark)) ?? {};
    expect(dependency).toBe(
      /SQLSTATE|CONNECT|^DB_|^TX_/.test(mark)
        ? "postgres"
        : /REDIS|Cluster|MaxRetries/.test(mark)
          ? "redis"
          : (({ UNAVAILABLE: "registry", SCHEMA_INCOMPATIBLE: "build" } as const)[mark] ??
            (/^(?:E|HTTP|Connection|Failed|TimeoutError)/.test(mark) ? "other" : "kafka")),
    );
    expect(reason).toBeDefined();
  });
  test.each(down)("%s is told to who asks over HTTP as UNAVAILABLE, to come again", (mark) => {
    const { code, extra } = problemOf(errorOf(mark));
    expect([code, mark === "UNAVAILABLE" || extra.retryAfterSeconds === 1]).toEqual(["UNAVAILABLE", true]);
  });
  test("is certain where the other side says so of itself, through any wrapper", () => {
    expect(outageOf(new Error("save", { cause: fromPostgres("25006") }))).toEqual({
      mark: "SQLSTATE 25006",
      isCertain: true,
    });
    expect(outageOf(fromPostgres("57P01"))).toEqual({ mark: "SQLSTATE 57P*", isCertain: false });
    expect(outageOf(fromPostgres("23505"))).toBeNull();
  });
  test("of the registry is Postgres's where that is what keeps a schema from being had", () => {
    const wrapped = (cause: Error) => describeOutage(new Problem("UNAVAILABLE", "a schema cannot be had", { cause }));
    expect(wrapped(fromPostgres("57P03"))).toEqual({ dependency: "postgres", reason: "starting" });
    expect(wrapped(coded("ECONNREFUSED"))).toEqual({ dependency: "registry", reason: "unreachable" });
    expect(wrapped(new Error("no JSON"))).toEqual({ dependency: "registry", reason: "unreachable" });
  });
  test("is a series of its own until the part goes on, fails otherwise or fails for good", async () => {
    const metrics = makeMetrics("test", { process: false });
    const { tell, waiting } = makeOutages(metrics);
    const series = async () => (await metrics.text()).match(/^dependency_down\{.*$/gm) ?? [];
    tell("sweep", fromPostgres("25006"));
    expect(waiting()).toEqual(["postgres (read_only): sweep"]);
    tell("sweep", fromPostgres("53100"));
    expect((await series()).slice(1)).toEqual([
      'dependency_down{loop="sweep",dependency="postgres",reason="read_only",role="test"} 0',
      'dependency_down{loop="sweep",dependency="postgres",reason="full",role="test"} 1',
    ]);
    tell("sweep", new Error("a bug"));
    expect(waiting()).toEqual([]);
    expect((await series()).every((line) => line.endsWith(" 0"))).toBe(true);
  });
});

const cases: readonly (readonly [string, unknown, FailureClass])[] = [
  ["a connection refused", coded("ECONNREFUSED"), "dependency_down"],
  ["a socket error is not mistaken for a state of Postgres", coded("EPIPE"), "dependency_down"],
  ["Postgres being shut down", fromPostgres("57P01"), "dependency_down"],
  ["Postgres starting up", fromPostgres("57P03"), "dependency_down"],
  ["a lost connection", fromPostgres("08006"), "dependency_down"],
  ["a connection postgres.js lost", coded("CONNECTION_CLOSED"), "dependency_down"],
  ["too many connections", fromPostgres("53300"), "dependency_down"],
  ["a unique violation", fromPostgres("23505"), "permanent"],
  ["a text with NUL", fromPostgres("22021"), "permanent"],
  ["a missing column", fromPostgres("42703"), "unknown"],
  ["a lock that was not to be had", fromPostgres("55P03"), "unknown"],
  ["a statement that took too long", fromPostgres("57014"), "unknown"],
  ["the broker unreachable", coded("PLT_KFK_NETWORK"), "dependency_down"],
  [
    "the broker unreachable, three levels down",
    Object.assign(coded("PLT_KFK_MULTIPLE"), {
      errors: [Object.assign(coded("PLT_KFK_MULTIPLE"), { errors: [coded("PLT_KFK_NETWORK")] })],
    }),
    "dependency_down",
  ],
  ["a partition without a leader", fromKafka("LEADER_NOT_AVAILABLE"), "dependency_down"],
  ["a record too large", fromKafka("MESSAGE_TOO_LARGE"), "permanent"],
  ["Redis unreachable", named("MaxRetriesPerRequestError"), "dependency_down"],
  ["the registry unreachable", new Problem("UNAVAILABLE"), "dependency_down"],
  ["a writer this build cannot read", coded("SCHEMA_INCOMPATIBLE"), "dependency_down"],
  ["bytes that are no record", new Problem("UNDECODABLE"), "invalid"],
  ["a zod complaint", named("ZodError"), "invalid"],
  ["a broken invariant", new Problem("INVARIANT"), "permanent"],
  ["a message that does not fit its schema", new Problem("UNENCODABLE"), "permanent"],
  ["a missing task", new Problem("TASK_NOT_FOUND"), "permanent"],
  ["an internal problem", new Problem("INTERNAL"), "unknown"],
  ["HTTP 429", Object.assign(new Error("x"), { status: 429 }), "throttled"],
  ["HTTP 503", Object.assign(new Error("x"), { status: 503 }), "dependency_down"],
  ["HTTP 404", Object.assign(new Error("x"), { status: 404 }), "permanent"],
  ["a bug", new TypeError("undefined is not a function"), "unknown"],
  ["a cause", new Error("could not save", { cause: fromPostgres("23505") }), "permanent"],
  ["the outermost that is known counts", new Problem("INVARIANT", "no", { cause: coded("ECONNRESET") }), "permanent"],
  ["something thrown that is no error", "oops", "unknown"],
  ["nothing", undefined, "unknown"],
];

describe("a failure", () => {
  test.each(cases)("%s", (_title, error, is) => {
    expect(classify(error)).toBe(is);
  });

  test("that is its own cause is unknown, not endless", () => {
    const error: Error = new Error("round");
    error.cause = error;
    expect(classify(error)).toBe("unknown");
  });

  test("of two transactions in each other's way is a conflict, wherever in the chain", () => {
    expect(isConflict(fromPostgres("40P01"))).toBe(true);
    expect(isConflict(new Error("x", { cause: fromPostgres("40001") }))).toBe(true);
    expect(isConflict(fromPostgres("23505"))).toBe(false);
  });

  test("may say when to come back", () => {
    expect(retryAfterSeconds(new Problem("TOO_MANY_STREAMS", "x", { retryAfterSeconds: 7 }))).toBe(7);
    expect(retryAfterSeconds(new Error("x"))).toBeNull();
  });
});
