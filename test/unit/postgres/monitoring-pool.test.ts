import { expect, test } from "bun:test";
import { makeMetrics } from "../../../shared/role/metrics.ts";
import { makePoolMeters } from "../../../shared/postgres/pool-meters.ts";

const failed = (code: string, name = "Error") => Object.assign(new Error("x"), { code, name });
const table: readonly (readonly [error: unknown, kind: string | null])[] = [
  [failed("DB_DEADLINE"), "deadline"],
  [failed("CONNECTION_CLOSED"), "connection"],
  [failed("CONNECT_TIMEOUT"), "connection"],
  [failed("ECONNREFUSED"), "connection"],
  [failed("57P01", "PostgresError"), "connection"],
  [failed("53300", "PostgresError"), "resources"],
  [failed("40P01", "PostgresError"), "conflict"],
  [failed("23505", "PostgresError"), "refused"],
  [failed("TASK_NOT_FOUND", "Problem"), null],
  [new Error("the handler's own"), null],
];

for (const [error, kind] of table)
  test(`${error} ${(error as { code?: string }).code ?? ""} is ${kind ?? "not Postgres's"}, and its connection is free again`, async () => {
    const metrics = makeMetrics("task-service", { process: false });
    const watch = makePoolMeters(metrics, 4);
    const end = watch();
    expect(await metrics.text()).toContain('postgres_pool_users{role="task-service"} 1');
    end(error);
    const text = await metrics.text();
    expect(text).toContain('postgres_pool_users{role="task-service"} 0');
    expect(text).toContain('postgres_pool_connections{role="task-service"} 4');
    const counted = [...text.matchAll(/postgres_failures_total\{kind="(\w+)",role="task-service"\} 1/g)];
    expect(counted.map(([, found]) => found)).toEqual(kind === null ? [] : [kind]);
  });
