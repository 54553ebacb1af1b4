import { acceptedContent, inputRequired, type CallToolResult, type McpServer } from "@modelcontextprotocol/server";
import { z } from "zod";
import { readTask, seenTask, taskPage, type SeenTask } from "./answers.ts";
import { Refusal, type ApiCall, type CallApi } from "./call-api.ts";
import { said, telling } from "./tool-parts.ts";

const consent = z.object({ delete: z.boolean().describe("Delete them?") });

/**
 * Deletes only what a person said yes to: the client is asked to ask. One that cannot ask is told to, and repeats the
 * call with the titles. `mayAsk` is whether the client says that it can ask.
 */
export function addDeleteTool(server: McpServer, call: CallApi, mayAsk: boolean): void {
  server.registerTool(
    "delete_tasks",
    {
      title: "Delete tasks",
      description:
        "Deletes tasks; of a repeating one this date, or with apply_to later ones too. The person is asked first, and nothing is done before they said yes.",
      inputSchema: z.object({
        ids: z.array(z.uuid()).min(1).max(20).describe("The ids of the tasks, as find_tasks shows them in brackets."),
        apply_to: z.enum(["this", "future", "all"]).default("this"),
        confirmed_titles: z
          .array(z.string())
          .optional()
          .describe(
            "Only where this tool could not ask by itself and the person said yes to you: the titles, in the order of ids.",
          ),
      }),
      annotations: { destructiveHint: true, idempotentHint: true, openWorldHint: false },
    },
    async ({ ids, apply_to, confirmed_titles }, context) => {
      const found = await Promise.all(ids.map((id) => readTask(call, id).catch(onlyMissing)));
      const tasks = found.filter((task) => task !== null);
      if (tasks.length < ids.length)
        return {
          ...said(`${ids.length - tasks.length} of these tasks are not there. Nothing was deleted.`),
          isError: true,
        };
      const titles = tasks.map(({ title }) => title);
      // A client that can ask asks: what was only read out of the tasks is no consent.
      const isNamed = !mayAsk && JSON.stringify(confirmed_titles) === JSON.stringify(titles);
      const answer = acceptedContent(context.mcpReq.inputResponses, "consent", consent);
      if (!isNamed && answer?.delete !== true) {
        if (answer?.delete === false) return said("The person said no. Nothing was deleted.");
        const message = `Delete ${tasks.map((task) => asked(task, apply_to)).join(", ")}?`;
        if (mayAsk)
          return inputRequired({
            inputRequests: { consent: inputRequired.elicit({ message, requestedSchema: consent }) },
          });
        return said(
          `Nothing was deleted yet. Ask the person: ${message} If they say yes, repeat the call with confirmed_titles.`,
        );
      }
      return deleteAll(tasks, apply_to, call);
    },
  );

  server.registerTool(
    "restore_tasks",
    {
      title: "Restore deleted tasks",
      description:
        "Takes back deletions of the last 30 days: each task is there as it was. With apply_to all a series comes back with the dates that were deleted with it.",
      inputSchema: z.object({
        ids: z.array(z.uuid()).min(1).max(20).describe("The ids that the tasks had."),
        apply_to: z.enum(["this", "all"]).default("this"),
      }),
      annotations: { destructiveHint: false, idempotentHint: true, openWorldHint: false },
    },
    ({ ids, apply_to }) =>
      telling(async () => {
        const texts: string[] = [];
        const back: string[] = [];
        for (const id of ids) {
          const { task, wasDeleted } = await restored(call, id, apply_to);
          if (wasDeleted) back.push(id);
          texts.push(JSON.stringify(task.title));
        }
        const undo = back.length === 0 ? null : { tool: "delete_tasks", arguments: { ids: back, apply_to } };
        return said(`Restored: ${texts.join(", ")}`, undo);
      }),
  );
}

/** Of a series its template comes back with its dates, whatever is said; a plain task has no series to bring. */
async function restored(
  call: CallApi,
  id: string,
  reach: "this" | "all",
): Promise<Readonly<{ task: SeenTask; wasDeleted: boolean }>> {
  const deleted = taskPage.parse(
    await call({ method: "GET", path: `/v1/tasks?deleted=true&templates=true&ids=${id}` }),
  );
  const [gone] = deleted.items;
  const isWhole = gone?.is_recurring_template === true || (reach === "all" && typeof gone?.template_id === "string");
  const path = `/v1/tasks/${id}/restore${isWhole ? "?scope=all" : ""}`;
  return { task: seenTask.parse(await call({ method: "POST", path })), wasDeleted: gone !== undefined };
}

function onlyMissing(error: unknown): null {
  if (error instanceof Refusal && error.code === "TASK_NOT_FOUND") return null;
  throw error;
}

/** One after another; what was done before one failed is told, and can be taken back. */
async function deleteAll(tasks: readonly SeenTask[], reach: DeleteReach, call: CallApi): Promise<CallToolResult> {
  const done: SeenTask[] = [];
  const failures: string[] = [];
  for (const task of tasks)
    try {
      await call(await deletionOf(task, reach, call));
      done.push(task);
    } catch (error) {
      if (!(error instanceof Refusal)) throw error;
      failures.push(`Not deleted: ${JSON.stringify(task.title)}: ${error.message}`);
    }
  const text = [`Deleted: ${done.map(({ title }) => JSON.stringify(title)).join(", ") || "nothing"}`, ...failures];
  const ids = done.map(({ id }) => id);
  // The end that a series was given is a change of its rule, which nothing takes back.
  const canUndo = ids.length > 0 && reach !== "future";
  const undo = canUndo ? { tool: "restore_tasks", arguments: { ids, apply_to: reach } } : null;
  return { ...said(text.join("\n"), undo), ...(failures.length > 0 ? { isError: true } : {}) };
}

type DeleteReach = "this" | "future" | "all";

/** What of it is deleted; a template is the whole series. */
function asked({ title, template_id, is_recurring_template }: SeenTask, reach: DeleteReach): string {
  const named = JSON.stringify(title);
  if (is_recurring_template || (template_id !== null && reach === "all")) return `${named}, the whole series`;
  return template_id !== null && reach === "future" ? `${named} and its later dates` : named;
}

/** The request that does it. A series ends with its open dates by one of them; where none is open, by its template. */
async function deletionOf(task: SeenTask, reach: DeleteReach, call: CallApi): Promise<ApiCall> {
  const path = `/v1/tasks/${task.id}`;
  if (task.template_id !== null) return { method: "DELETE", path: reach === "this" ? path : `${path}?scope=${reach}` };
  if (!task.is_recurring_template) return { method: "DELETE", path };
  const open = taskPage.parse(
    await call({ method: "GET", path: `/v1/tasks?template_id=${task.id}&status=open&limit=1` }),
  );
  const [date] = open.items;
  return { method: "DELETE", path: date === undefined ? path : `/v1/tasks/${date.id}?scope=all` };
}
