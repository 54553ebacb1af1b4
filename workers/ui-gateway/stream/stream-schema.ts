import { z } from "@hono/zod-openapi";
import { reminderSchema } from "../../../shared/reminders/reminder-schema.ts";
import { taskSchema } from "../../../shared/tasks/task-schema.ts";
import { staleSeconds, streamStates } from "./freshness.ts";
import { resetReasons, type ResetReason } from "./reset-reasons.ts";

export const cursorSchema = z.string().openapi({ example: "e1.3.1042" });

const changedTask = taskSchema
  .extend({
    view_version: z
      .int()
      .openapi({ description: "Rises with every change of the task or a reminder of it.", example: 4 }),
    reminders: z
      .array(reminderSchema)
      .openapi({ description: "By time, the newest hundred; those their person deleted are left out." }),
  })
  .openapi("ChangedTask");

/** What happened, most of all; the broadcaster's `foldView` and `mergeChanges` say it. */
const changeType = z.enum(["created", "updated", "completed", "deleted"]).openapi("ChangeType", {
  description:
    "What happened. While a task is deleted, whatever changes of it is told as `deleted`. Where only the newest view of several changes is " +
    "given, as here and to a slow stream, it is the strongest that still holds: `completed`, if it is, before `created` before " +
    "`updated`. The state itself is in the payload: `status`, `deleted_at`.",
});

export const taskChangedSchema = z
  .object({
    change_type: changeType,
    task_id: z.uuid(),
    user_id: z.uuid(),
    payload: changedTask,
    timestamp: z.string().openapi({ format: "date-time", description: "When it happened." }),
  })
  .openapi("TaskChanged", {
    description:
      "A change with the whole task as it is now. Take it in place of what you have unless that has the same or a higher `view_version`, " +
      "or a higher `version`: then a change with all of it is on its way.",
  });

const reasons = Object.keys(resetReasons) as [ResetReason, ...ResetReason[]];
const saidReasons = Object.entries(resetReasons)
  .map(([reason, why]) => `\`${reason}\`: ${why}`)
  .join("; ");

const resetReasonSchema = z.enum(reasons).openapi("ResetReason", { description: `${saidReasons}.` });

export const changesSchema = z
  .object({
    items: z.array(taskChangedSchema).openapi({ description: "At most 500; each task once, by its last change." }),
    cursor: cursorSchema.openapi({ description: "To ask from next; it may move without a change." }),
    // `.nullable()` would put null into the component.
    reset: z.union([resetReasonSchema, z.null()]).openapi({
      description: "Why the lists must be read again, with `cursor` to go on from; null where nothing was missed.",
    }),
    state: z.enum(streamStates).openapi("StreamState", {
      description:
        `\`stale\` where the instance that answered has not heard of new changes for ${staleSeconds} s, so that there may be some; ` +
        "else `live`. A poll that waits is answered when this changes.",
    }),
  })
  .openapi("Changes");
