import { z } from "@hono/zod-openapi";
import { defineAction } from "../action.ts";
import type { ActionCommand } from "../action-command.ts";
import { listAudit, readAuditEntry } from "../audit.ts";
import { limit } from "../fields.ts";
import { tableOf } from "../print-table.ts";

const ls = defineAction({
  route: "GET /api/audit",
  input: z.strictObject({ limit }),
  cli: { fallbacks: { limit: "50" } },
  run: async ({ db }, { limit: most }) => ({ entries: await listAudit((await db()).sql, most) }),
  print: ({ entries }) => tableOf(["id", "at", "who", "via", "action", "state", "reason"], entries),
});

const show = defineAction({
  route: "GET /api/audit/:id",
  input: z.strictObject({ id: z.uuid() }),
  cli: { words: { id: "an id" } },
  run: async ({ db, isRunning }, { id }) => {
    const entry = await readAuditEntry((await db()).sql, id);
    // Whether this process is at it; the command line knows of none.
    return isRunning === null ? entry : { ...entry, running: isRunning(id) };
  },
  print: (entry) => JSON.stringify(entry, null, 2),
});

export const auditCommand = {
  summary: "what operators changed: who, what, when",
  help: `ops audit [ID] [--limit N] [--json]

The newest changes first, 50 unless told; with an ID that one, with its plan and how far it got. Replays and redrives that say
"running" and have no process behind them were cut off: their ID resumes them.`,
  actions: { "": ls, "one ID": show },
  pick: (_, words) => (words.length === 0 ? "" : "one ID"),
} satisfies ActionCommand;
