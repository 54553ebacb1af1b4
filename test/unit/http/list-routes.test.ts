import { describe, expect, test } from "bun:test";
import { makeLog } from "../../../shared/role/log.ts";
import { makeMetrics } from "../../../shared/role/metrics.ts";
import type { Sql } from "../../../shared/postgres/db.ts";
import { buildApp as buildNotifications } from "../../../workers/notification-service/app.ts";
import { buildApp as buildSeries } from "../../../workers/recurring-task-worker/app.ts";

/** A database that has nothing and counts how often it is asked. */
function setup() {
  let asked = 0;
  const sql = (() => {
    asked++;
    return Promise.resolve([]);
  }) as unknown as Sql; // the lists ask with one tagged statement, nothing else
  const deps = {
    db: { sql, transaction: () => Promise.reject(new Error("the lists need none")) },
    authenticate: async () =>
      ({ userId: crypto.randomUUID(), sessionId: "s", expiresAt: new Date(8e15), via: "bearer" }) as const,
    newId: () => "r",
    changeOccurrence: () => Promise.reject(new Error("was asked")),
    now: () => new Date(),
    log: makeLog({}, "error", () => {}),
    metrics: makeMetrics("test", { process: false }),
    sendTest: () => Promise.resolve({ outcome: "delivered" as const }),
    onResent: () => {},
  };
  return { deps, asked: () => asked };
}

describe.each([
  ["/v1/notifications", buildNotifications],
  ["/v1/series", buildSeries],
])("%s", (path, buildApp) => {
  test.each([
    ["stauts=open", "query.stauts"],
    ["limit=0", "query.limit"],
    ["limit=201", "query.limit"],
  ])("refuses ?%s before anything is asked, naming it", async (query, named) => {
    const { deps, asked } = setup();
    const answer = await buildApp(deps).request(`${path}?${query}`);
    const { errors } = (await answer.json()) as { errors: { path: string }[] };
    expect([answer.status, errors.map((mistake) => mistake.path), asked()]).toEqual([422, [named], 0]);
  });

  test("describes what can go wrong", async () => {
    const { deps } = setup();
    const document = (await (await buildApp(deps).request("/openapi.json")).json()) as {
      paths: Record<string, { get?: { responses: Record<string, unknown> } }>;
    };
    for (const { get } of Object.values(document.paths))
      if (get) expect(Object.keys(get.responses).join(" ")).toMatch(/^200 (304 )?401 (404 )?422 429 500 503$/);
  });
});
