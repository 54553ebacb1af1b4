import { z } from "@hono/zod-openapi";
import type { RebuiltViews } from "../../../shared/tasks/view-difference.ts";
import { defineAction } from "../action.ts";
import { changeHelp, type ActionCommand } from "../action-command.ts";
import { audited } from "../audit.ts";
import { printTable } from "../print-table.ts";
import { runScript } from "../run-script.ts";

const views = defineAction({
  // It runs the broadcaster's code in a process of its own: see DESIGN, Operating.
  route: null,
  input: z.strictObject({ settleSeconds: z.number().int().min(0).default(5) }),
  change: { dryRun: true, confirm: "apply" },
  run: async ({ env, db }, { settleSeconds }, { by, dryRun }) => {
    const settleMs = settleSeconds * 1000;
    const rebuild = async (correlationId: string | null) => {
      const argument = { correlationId, settleMs };
      const printed = await runScript({ role: "task-update-broadcaster", script: "rebuild.ts", argument }, { env });
      // Printed by that script.
      return printed as RebuiltViews;
    };
    const rebuilt = dryRun
      ? await rebuild(null)
      : await audited((await db()).sql, by, { action: "rebuild views", plan: { settleMs } }, rebuild);
    return { applied: !dryRun, ...rebuilt };
  },
  print: (rebuilt) => describe(rebuilt, rebuilt.applied),
});

export const rebuildCommand = {
  summary: "compares what streams tell with what the tables say; --apply mends it",
  help: `ops rebuild views [--apply] [--settle-seconds 5] [--json]

Compares the view of every task, which streams are made of, with the tables of tasks and reminders, and shows what differs. With
--apply those views are written anew, under a lock of their rows and beside the running roles, and told to whoever follows a stream.

  --settle-seconds N   what differs is looked at again after so long: the broadcaster hears of a change a moment later. Views
                       that are still behind then are marked: their events are lost, or the broadcaster stands (ops groups)
${changeHelp}`,
  actions: { views },
} satisfies ActionCommand;

const shownRows = 200;
const shownLength = 60;

function describe({ examined, differences, mended }: RebuiltViews, isApplied: boolean): string {
  if (differences.length === 0) return `${examined} views are as the tables say`;
  const rows = differences.flatMap(({ taskId, isMissing, isBehind, fields }) =>
    fields.map(({ name, is, should }) => [
      taskId,
      isMissing ? "missing" : isBehind ? "behind" : "differs",
      name,
      short(is),
      short(should),
    ]),
  );
  const left = rows.length - shownRows;
  return [
    printTable(["TASK", "VIEW", "FIELD", "IS", "SHOULD BE"], rows.slice(0, shownRows)),
    ...(left > 0 ? [`and ${left} more`] : []),
    `\n${differences.length} of ${examined} views differ from the tables; ` +
      (isApplied ? `${mended.length} were written anew and told` : "--apply writes them anew"),
  ].join("\n");
}

function short(value: unknown): string {
  const text = JSON.stringify(value) ?? "";
  return text.length <= shownLength ? text : `${text.slice(0, shownLength - 1)}…`;
}
