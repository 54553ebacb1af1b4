import { problemDocument, problems, type Problem } from "../problem.ts";

/** The answer for a problem that comes up where no app is asked. */
export function problemAnswer(problem: Problem, requestId: string): Response {
  const { retryAfterSeconds } = problem.extra;
  return new Response(JSON.stringify(problemDocument(problem, requestId)), {
    status: problems[problem.code].status,
    headers: {
      "content-type": "application/problem+json",
      "x-request-id": requestId,
      ...(retryAfterSeconds === undefined ? {} : { "retry-after": String(retryAfterSeconds) }),
    },
  });
}
