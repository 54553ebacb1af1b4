// Run by `ops rebuild views`: compares the views with the tables of tasks and reminders, and writes anew those that
// differ. Replay is safe: what is right already is left alone.
import { runOpsScript } from "../../shared/role/ops-script.ts";
import type { RebuiltViews } from "../../shared/tasks/view-difference.ts";
import { examineViews, mendViews } from "./rebuild-views.ts";

await runOpsScript("task-update-broadcaster", async ({ argv, db, codec, now, signal }): Promise<RebuiltViews> => {
  // Printed by `ops rebuild views`.
  const { correlationId, settleMs } = JSON.parse(argv[2] ?? "{}") as { correlationId: string | null; settleMs: number };
  const examined = await examineViews({ db, settleMs, signal });
  const ids = examined.differences.map(({ taskId }) => taskId);
  const mended = correlationId === null ? [] : await mendViews({ db, codec, now, correlationId, signal }, ids);
  return { ...examined, mended };
});
