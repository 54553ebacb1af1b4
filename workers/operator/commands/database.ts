import { z } from "@hono/zod-openapi";
import { noteHistory } from "../../../shared/postgres/database-history.ts";
import { defineAction } from "../action.ts";
import type { ActionCommand } from "../action-command.ts";
import { auditDone } from "../audit.ts";
import { usageError } from "../usage-error.ts";
import { tableOf } from "../print-table.ts";

type DatabaseHistoryPart = Readonly<{ number: number; timeline: string; reason: string; noticedAt: Date }>;

const ls = defineAction({
  route: null,
  input: z.strictObject({}),
  run: async ({ db }) => {
    const { sql } = await db();
    const parts = await sql<DatabaseHistoryPart[]>`
      select number, timeline, reason, noticed_at as "noticedAt" from database_history order by number desc`;
    return { parts };
  },
  print: ({ parts }) =>
    tableOf(
      [["part", "number"], ["noticed", "noticedAt"], ["timeline", (part) => part.timeline || "not told"], "reason"],
      parts,
    ),
});

const restored = defineAction({
  route: null,
  input: z.strictObject({}),
  change: { dryRun: false },
  run: async (tools, _, { by, dryRun }) => {
    if (by.reason === null) throw usageError("say --reason");
    const db = await tools.db();
    if (dryRun) return {};
    const { number } = await noteHistory(db, `operator: ${by.reason}`);
    await db.transaction((tx) => auditDone(tx, by, { action: "database restored", plan: { number } }));
    return { number };
  },
  print: ({ number }) =>
    number === undefined
      ? "would begin a new part of the history, and all streams anew"
      : `part ${number} of the history begins; streams begin anew`,
});

export const databaseCommand = {
  summary: "how often Postgres went back in time, and that it did",
  help: `ops database [ls] [--json]
ops database restored --reason TEXT [--by NAME] [--dry-run] [--json]

The parts of the database's history, newest first. The roles begin a new one by themselves after a promotion and a recovery, and where
Kafka shows that something was lost. \`restored\` begins one by hand: after a copy of the data directory was put back with all roles
stopped, which looks like any restart, and after every restore and failover of a server that tells no timeline. Streams begin anew, and versions go on above all that was told.`,
  actions: { ls, restored },
} satisfies ActionCommand;
