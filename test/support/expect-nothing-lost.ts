import { expect } from "bun:test";
import type postgres from "postgres";
import { roleNames } from "../../shared/messages/topics.ts";
import { allTasks, type Client } from "./client.ts";
import { settled } from "./settled.ts";
import type { System } from "./system.ts";
import { until } from "./until.ts";

/**
 * After an outage of Postgres: every task that was acknowledged is there, nothing is parked or dead, what fell due
 * meanwhile has fired, and no role has ended over it.
 */
export async function expectNothingLost(
  system: System,
  { sql, user, ids }: Readonly<{ sql: postgres.Sql; user: Client; ids: readonly string[] }>,
): Promise<void> {
  await settled(system);
  const kept = await allTasks(user);
  expect(ids.filter((id) => !kept.some((task) => task.id === id))).toEqual([]);
  expect(JSON.parse(await system.ops("parked", "--json"))).toEqual({ parked: [] });
  expect([...(await sql`select id from dead_letters`)]).toEqual([]);
  await until(
    "every reminder has fired",
    async () => (await sql`select 1 from reminders where status = 'pending'`).length === 0,
    { timeoutMs: 30_000 },
  );
  expect(endedRoles(system)).toEqual([]);
}

/** The roles of which an instance has ended over something it could not mend. */
export function endedRoles(system: System): readonly string[] {
  return roleNames.filter((role) => system.log(role).some((line) => /"event":"(failed|uncaught|unhandled)/.test(line)));
}
