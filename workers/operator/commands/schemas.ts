import { z } from "@hono/zod-openapi";
import { defineAction } from "../action.ts";
import { changeHelp, type ActionCommand } from "../action-command.ts";
import { applySchemas, lookAtSchemas, type SubjectState } from "../actions/apply-schemas.ts";
import { tableOf } from "../print-table.ts";

const ls = defineAction({
  route: "GET /api/schemas",
  input: z.strictObject({}),
  run: async ({ registry, readSchemas }) => ({
    applied: false,
    subjects: await lookAtSchemas(registry(), readSchemas),
  }),
  print: ({ subjects }) => subjectTable(subjects),
});

const apply = defineAction({
  route: "POST /api/schemas/apply",
  input: z.strictObject({}),
  change: { dryRun: false },
  run: async (tools, _, { by, dryRun }) => {
    const { registry, readSchemas, env } = tools;
    if (dryRun) return { applied: false, subjects: await lookAtSchemas(registry(), readSchemas) };
    const known = registry();
    const db = env["DATABASE_URL"] ? await tools.db() : null;
    return { applied: true, subjects: await applySchemas(known, { db, by, readSchemas }) };
  },
  print: ({ subjects }) => subjectTable(subjects),
});

export const schemasCommand = {
  summary: "show schemas as they are registered; apply registers what is missing",
  help: `ops schemas [ls|apply] [--json]

  ls       every subject: versions committed here, versions registered, the compatibility level (the default)
  apply    checks all committed versions against each other (FULL_TRANSITIVE, without the registry), then sets that
           level on every subject and registers what is missing, oldest version first. Safe to run twice. Run it before
           roles of this build are started: they never register anything.

${changeHelp}`,
  actions: { ls, apply },
} satisfies ActionCommand;

function subjectTable(subjects: readonly SubjectState[]): string {
  return tableOf(
    [
      "subject",
      "committed",
      "registered",
      "id",
      ["compatibility", (row) => row.compatibility ?? "global"],
      ["state", (row) => (row.changes.length > 0 ? row.changes.join(", ") : row.state)],
    ],
    subjects,
  );
}
