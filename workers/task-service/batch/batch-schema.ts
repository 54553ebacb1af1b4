import { z, type RouteConfig } from "@hono/zod-openapi";
import { bodyFailures, problemSchema } from "../../../shared/http/failures.ts";
import { newTask, taskPatch } from "../../../shared/tasks/task-input.ts";
import { createdTask, patchedTask } from "../task-schema.ts";

const maxOperations = 500;

const tempId = z
  .string()
  .regex(/^[\x21-\x7e]{1,64}$/, "is not 1 to 64 visible ASCII characters")
  .openapi({
    description: "A name of your own for the new task, for later operations of this request: `$` and the name.",
    example: "party",
  });
const target = z
  .string()
  .regex(
    /^(?:[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}|\$[\x21-\x7e]{1,64})$/,
    "is neither a UUID nor $ and the temp_id of a create",
  )
  .openapi({ description: "The task, or `$` and the temp_id of an earlier create.", example: "$party" });
const ifMatch = z
  .int()
  .min(1)
  .optional()
  .openapi({ description: "The version that the task must have when it is this operation's turn." });

const operation = z
  .discriminatedUnion(
    "op",
    [
      z.strictObject({ op: z.literal("create"), temp_id: tempId.optional(), task: newTask }).openapi("BatchCreate"),
      z
        .strictObject({ op: z.literal("update"), id: target, patch: taskPatch, if_match: ifMatch })
        .openapi("BatchUpdate"),
      z
        .strictObject({ op: z.enum(["complete", "reopen", "delete"]), id: target, if_match: ifMatch })
        .openapi("BatchVerb"),
    ],
    {
      error: ({ code }) => (code === "invalid_union" ? "is not create, update, complete, reopen or delete" : undefined),
    },
  )
  .openapi("BatchOperation");
/** `id` is as it was sent: see `resolveTargets`. */
export type BatchOperation = z.output<typeof operation>;

/** The body of POST /v1/batch. */
const batch = z
  .strictObject({
    atomic: z.boolean().default(false).openapi({ description: "All operations or none." }),
    operations: z
      .array(operation)
      .min(1)
      .max(maxOperations)
      .openapi({ description: `In the order in which they are done; at most ${maxOperations}.` }),
  })
  .superRefine(({ operations }, context) => {
    const named = new Set<string>();
    for (const [at, each] of operations.entries()) {
      const mistake = (field: string, message: string) =>
        context.addIssue({ code: "custom", path: ["operations", at, field], message });
      if (each.op !== "create") {
        if (each.id.startsWith("$") && !named.has(each.id.slice(1))) mistake("id", "names no create before it");
      } else if (each.temp_id !== undefined) {
        if (named.has(each.temp_id)) mistake("temp_id", "is that of another create before it");
        named.add(each.temp_id);
      }
    }
  })
  .openapi("Batch", {
    examples: [
      {
        atomic: true,
        operations: [
          { op: "create", temp_id: "party", task: { title: "Plan the party", due_on: "2027-03-01" } },
          { op: "update", id: "$party", patch: { tags: ["home"] } },
          { op: "complete", id: "0190a000-0000-7000-8000-000000000001", if_match: 3 },
        ],
      },
    ],
  });

const result = z
  .union([
    z
      .object({
        status: z.union([z.literal(200), z.literal(201), z.literal(204)]),
        id: z.uuid(),
        version: z.int().openapi({ description: "Of the task after this operation." }),
        task: z.union([createdTask, patchedTask]).optional().openapi({
          description:
            "What the request by itself would answer. Not of a delete; of other operations but creates only where no later one names the task.",
        }),
      })
      .openapi("BatchDone"),
    z
      .object({ status: z.int(), problem: problemSchema })
      .openapi("BatchRefused", { description: "Not done; `errors` of the problem point into the body of the batch." }),
  ])
  .openapi("BatchResult");

const answer = z
  .object({
    results: z.array(result).openapi({ description: "One for each operation, in the same order." }),
    temp_ids: z.record(z.string(), z.uuid()).openapi({
      description: "The ids of the tasks that were made with a temp_id.",
      example: { party: "0190a000-0000-7000-8000-000000000002" },
    }),
  })
  .openapi("BatchAnswer");

export const batchBody = { required: true, content: { "application/json": { schema: batch } } } as const;

/** Typed wide, so that the handler may answer with a stored answer as it was sent. */
export const batchResponses: RouteConfig["responses"] = {
  200: { description: "What became of each", content: { "application/json": { schema: answer } } },
  ...bodyFailures(409),
};
