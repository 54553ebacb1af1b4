import { z } from "@hono/zod-openapi";
import { userProblems } from "../problem.ts";

const problemCode = z.enum(userProblems.map(([code]) => code)).openapi("ProblemCode", {
  description:
    "Stable: a code keeps its meaning. New ones may come; treat one you do not know by its status and `retryable`. /docs#errors has them all.",
});

/** RFC 9457, as every role answers what it does not do. */
export const problemSchema = z
  .object({
    type: z.string().openapi({
      format: "uri-reference",
      description: "Its place in the reference.",
      example: "/docs#error-INVALID_REQUEST",
    }),
    title: z.string().openapi({ description: "The code in words; the same for each answer with it." }),
    status: z.int().openapi({ description: "The HTTP status." }),
    detail: z.string().openapi({ description: "What it is this time, for people." }),
    instance: z.string().openapi({ description: "The id of the request." }),
    code: problemCode,
    retryable: z.boolean().openapi({ description: "Whether the same request can succeed later." }),
    errors: z
      .array(
        z.object({
          path: z.string().openapi({
            description: "A JSON pointer into the body, or query.<name>, path.<name>, header.<name>.",
            example: "/title",
          }),
          message: z.string(),
        }),
      )
      .optional()
      .openapi({ description: "Every mistake in the request, at most 50." }),
    current: z
      .record(z.string(), z.unknown())
      .optional()
      .openapi({ description: "With 412: what it is now; with some 409: what is in the way." }),
    results: z
      .array(z.record(z.string(), z.unknown()))
      .optional()
      .openapi({ description: "With BATCH_NOT_DONE: what became of each operation, as in a BatchAnswer." }),
  })
  .openapi("Problem");

const meanings = {
  400: "The body is not JSON",
  401: "No valid token or cookie",
  403: "Sent with a cookie by a page of another origin",
  404: "There is none, or it is another's, or it was deleted",
  409: "Not as things are now; `code` says why",
  412: "If-Match names another version; `current` is what it is now",
  413: "The body is too large",
  415: "The body is not application/json",
  422: "The request has mistakes, each named in `errors`; or the idempotency key was used for another request",
  429: "More than a limit allows, of requests or of open streams; try again after Retry-After",
  500: "Something went wrong on our side; the log has it under the id of the request",
  503: "A part of the system is not reachable, or this one is starting or stopping; try again after Retry-After",
} as const;

type FailureStatus = keyof typeof meanings;
type FailureResponse = Readonly<{
  description: string;
  content: Readonly<{ "application/problem+json": Readonly<{ schema: typeof problemSchema }> }>;
}>;

const anywhere = [401, 422, 429, 500, 503] as const;
const written = [403, 413] as const;
const withBody = [400, 403, 413, 415, 422] as const;

/** What a route that reads may answer instead, for the `responses` of its OpenAPI: these, and what any route may. */
export function readFailures<Status extends FailureStatus>(...statuses: readonly Status[]) {
  return failures([...anywhere, ...statuses]);
}

/** The same for a route that writes without a body. */
export function writeFailures<Status extends FailureStatus>(...statuses: readonly Status[]) {
  return failures([...anywhere, ...written, ...statuses]);
}

/** The same for a route that takes a JSON body. */
export function bodyFailures<Status extends FailureStatus>(...statuses: readonly Status[]) {
  return failures([...anywhere, ...withBody, ...statuses]);
}

function failures<Status extends FailureStatus>(statuses: readonly Status[]): Record<Status, FailureResponse> {
  const entries = statuses
    .toSorted()
    .map((status): [Status, FailureResponse] => [
      status,
      { description: meanings[status], content: { "application/problem+json": { schema: problemSchema } } },
    ]);
  // fromEntries forgets which keys it was given.
  return Object.fromEntries(entries) as Record<Status, FailureResponse>;
}
