import { Problem, problemDocument, problems } from "../problem.ts";

type Answering = (request: Request) => Response | Promise<Response>;

/**
 * Serves with `answer` until `signal` is aborted: what runs then is finished, what comes after is answered 503 UNAVAILABLE (the
 * caller tries again, elsewhere). `drained` settles when the last one is finished; dispose of what they use after that.
 * A stream counts only until it has begun.
 */
export function drainRequests(
  signal: AbortSignal,
  answer: Answering,
): Readonly<{ fetch: Answering; drained: Promise<void> }> {
  let running = 0;
  const { promise: drained, resolve } = Promise.withResolvers<void>();
  const look = (): void => {
    if (signal.aborted && running === 0) resolve();
  };
  signal.addEventListener("abort", look, { once: true });
  look();
  const fetch: Answering = async (request) => {
    if (signal.aborted) return stopping(request.headers.get("x-request-id") ?? "");
    running += 1;
    try {
      return await answer(request);
    } finally {
      running -= 1;
      look();
    }
  };
  return { fetch, drained };
}

function stopping(requestId: string): Response {
  const problem = new Problem("UNAVAILABLE", "This process is stopping");
  return new Response(JSON.stringify(problemDocument(problem, requestId)), {
    status: problems.UNAVAILABLE.status,
    headers: { "content-type": "application/problem+json", "retry-after": "1", connection: "close" },
  });
}
