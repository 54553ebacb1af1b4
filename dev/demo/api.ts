import { setTimeout as sleep } from "node:timers/promises";
import { direct } from "../../shared/http/proxy-for.ts";

export type DemoAnswer = Readonly<{ status: number; body: Readonly<Record<string, unknown>>; etag: string | null }>;
export type Api = Readonly<{
  token: string;
  /**
   * Sends until an answer comes that trying again would not change; a write keeps its idempotency key, so it is done
   * once.
   */
  send: (
    method: string,
    path: string,
    body?: unknown,
    headers?: Readonly<Record<string, string>>,
  ) => Promise<DemoAnswer>;
}>;

/** Signs `user` in at `base`. Gives up after `patienceMs` without an answer. */
export async function openApi(base: string, user: string, patienceMs = 60_000): Promise<Api> {
  const send = async (
    method: string,
    path: string,
    body: unknown,
    headers: Readonly<Record<string, string>>,
  ): Promise<DemoAnswer> => {
    const deadline = performance.now() + patienceMs;
    for (;;) {
      const response = await fetch(base + path, {
        method,
        headers: { ...headers, ...(body === undefined ? {} : { "content-type": "application/json" }) },
        ...(body === undefined ? {} : { body: JSON.stringify(body) }),
        signal: AbortSignal.timeout(10_000),
        ...direct,
      }).catch(() => null);
      const passing =
        response === null ||
        response.status === 502 ||
        response.status === 503 ||
        response.status === 504 ||
        response.status === 429;
      if (!passing) {
        const text = await response.text();
        // Every answer of the API is a JSON object or empty.
        return {
          status: response.status,
          etag: response.headers.get("etag"),
          body: (text === "" ? {} : JSON.parse(text)) as DemoAnswer["body"],
        };
      }
      if (performance.now() > deadline)
        throw new Error(`${method} ${base}${path} was not answered within ${patienceMs / 1000} s`);
      await sleep(250); // the role behind it is being restarted
    }
  };
  const session = await send("POST", "/v1/session", { user }, {});
  if (session.status >= 300) throw new Error(`signing in answered ${session.status}: ${JSON.stringify(session.body)}`);
  const token = String(session.body["token"]);
  return {
    token,
    send: (method, path, body, headers) =>
      send(method, path, body, {
        authorization: `Bearer ${token}`,
        ...(method === "GET" ? {} : { "idempotency-key": crypto.randomUUID() }),
        ...headers,
      }),
  };
}
