import { readFileSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import type { Sql } from "postgres";

/** Throws when a setting would make commits faster than durable ones: such figures mean nothing. */
export async function assertDurable(sql: Sql): Promise<void> {
  for (const name of ["fsync", "synchronous_commit", "full_page_writes"]) {
    const [row] = await sql.unsafe<{ value: string }[]>(`select current_setting('${name}') as value`);
    if (row?.value !== "on") throw new Error(`${name} is ${row?.value}: a benchmark without durability means nothing`);
  }
}

/** The share of all cores others use while nothing of ours runs, 0 to 1; NaN where the machine does not say (not Linux). */
export async function foreignLoad(ms = 500): Promise<number> {
  const look = () => {
    try {
      const times =
        readFileSync("/proc/stat", "utf8").split("\n", 1)[0]?.trim().split(/\s+/).slice(1).map(Number) ?? [];
      const idle = (times[3] ?? 0) + (times[4] ?? 0);
      return { idle, all: times.slice(0, 8).reduce((sum, time) => sum + time, 0) };
    } catch {
      // No /proc: nothing to compare with.
      return { idle: Number.NaN, all: Number.NaN };
    }
  };
  const before = look();
  await sleep(ms);
  const after = look();
  return 1 - (after.idle - before.idle) / (after.all - before.all);
}
