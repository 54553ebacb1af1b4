import type { McpServer } from "@modelcontextprotocol/server";
import { z } from "zod";
import { localTime, readPreferences, readTask, reminderAnswer, seenTask, taskLine } from "./answers.ts";
import { Refusal, type CallApi } from "./call-api.ts";
import { instantOfLocal, readWhen } from "./read-when.ts";
import { anyPage, callId, keyed, said, taskId, telling } from "./tool-parts.ts";

/** Reminders: setting, putting off, and why one comes or does not. */
export function addReminderTools(server: McpServer, call: CallApi): void {
  const remindersOf = async (id: string) =>
    z
      .array(reminderAnswer)
      .parse(anyPage.parse(await call({ method: "GET", path: `/v1/tasks/${id}/reminders` })).items);

  server.registerTool(
    "set_reminder",
    {
      title: "Set a reminder",
      description:
        'Reminds of a task, in words: "tomorrow 9:00", "in 20 minutes", or before its due: "30 minutes before", "the day before at 18:00".',
      inputSchema: z.object({ id: taskId, when: z.string().min(1).max(200), call_id: callId }),
      annotations: { destructiveHint: false, idempotentHint: true, openWorldHint: false },
    },
    ({ id, when, call_id }) =>
      telling(async () => {
        const isBefore = /before|ahead|early|when it/i.test(when) && !/remind/i.test(when);
        const { task, understood } = await readWhen(call, isBefore ? `remind me ${when}` : when);
        const { tz, default_reminders: usual } = await readPreferences(call);
        if (task.remind !== undefined && task.remind.length > 0) {
          const before = await readTask(call, id);
          const remind = [...new Set([...(before.remind ?? usual), ...task.remind])];
          const asked = {
            method: "PATCH",
            path: `/v1/tasks/${id}`,
            body: { remind },
            key: keyed(call_id),
          } as const;
          return said(
            `Reminders before the due: ${remind.join(", ")} of ${taskLine(seenTask.parse(await call(asked)), tz)}`,
          );
        }
        if (task.due_date === undefined) throw new Refusal(`${JSON.stringify(when)} says no time.`);
        const body = { remind_at: instantOfLocal(task.due_date, understood.zone) };
        const asked = { method: "POST", path: `/v1/tasks/${id}/reminders`, body, key: keyed(call_id) } as const;
        const made = reminderAnswer.parse(await call(asked));
        return said(`A reminder at ${localTime(made.remind_at, tz)} (${tz}), id ${made.id}.`);
      }),
  );

  server.registerTool(
    "snooze_reminder",
    {
      title: "Snooze a reminder",
      description: "Puts off what reminds of a task: the reminder that has fired last, else the next one.",
      inputSchema: z.object({
        id: taskId,
        until: z.string().min(1).max(200).describe('Such as "in 20 minutes" or "tomorrow 9:00".'),
      }),
      annotations: { destructiveHint: false, idempotentHint: true, openWorldHint: false },
    },
    ({ id, until }) =>
      telling(async () => {
        const [all, { task, understood }] = await Promise.all([remindersOf(id), readWhen(call, until)]);
        const one =
          all.findLast(({ status }) => status === "triggered") ?? all.find(({ status }) => status === "pending");
        if (one === undefined) throw new Refusal("No reminder of this task has fired or is to come.");
        if (task.due_date === undefined) throw new Refusal(`${JSON.stringify(until)} says no time.`);
        const body = { until: instantOfLocal(task.due_date, understood.zone) };
        await call({ method: "POST", path: `/v1/reminders/${one.id}/snooze`, body });
        return said(`Reminds again at ${task.due_date.replace("T", " ")} (${understood.zone}).`);
      }),
  );

  server.registerTool(
    "explain_reminders",
    {
      title: "Explain reminders",
      description:
        "Says for a task which reminders will come, which came, which do not and why, and what quiet hours or muting do to them.",
      inputSchema: z.object({ id: taskId }),
      annotations: { readOnlyHint: true, openWorldHint: false },
    },
    ({ id }) =>
      telling(async () => {
        const [task, all, preferences] = await Promise.all([
          readTask(call, id),
          remindersOf(id),
          readPreferences(call),
        ]);
        const { tz, quiet_hours: quiet, muted_until: muted, channels } = preferences;
        const why = { pending: "will come", triggered: "came", dismissed: "does not come" } as const;
        return said(
          [
            taskLine(task, tz),
            ...(all.length === 0 ? ["It has no reminders."] : []),
            ...all.map(({ remind_at, rule, status, reason }) =>
              [
                `- ${localTime(remind_at, tz)} ${why[status]}`,
                rule === null ? "set by hand" : `rule ${rule}`,
                reason ?? "",
              ]
                .filter((part) => part !== "")
                .join(", "),
            ),
            quiet === null
              ? "No quiet hours."
              : `Quiet from ${quiet.from} to ${quiet.to}: what falls into them is told at their end.`,
            ...(muted === null ? [] : [`Muted until ${localTime(muted, tz)}.`]),
            `Told by ${channels.map(({ type }) => type).join(", ")}; times are of ${tz}.`,
          ].join("\n"),
        );
      }),
  );
}
