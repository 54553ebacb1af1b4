import { z } from "zod";

/** What is asked of the product's own API, as the person whose token it is. */
export type ApiCall = Readonly<{
  method: "GET" | "POST" | "PATCH" | "DELETE";
  /** Below the origin, with its query. */
  path: string;
  body?: unknown;
  /** Sent as Idempotency-Key. */
  key?: string | undefined;
  /** Told where an earlier call with the key was answered again. */
  onReplay?: () => void;
}>;

/** Resolves with the JSON of the answer, `null` for one without a body. Rejects with `Refusal` for a problem. */
export type CallApi = (call: ApiCall) => Promise<unknown>;

const problem = z.looseObject({
  code: z.string(),
  title: z.string(),
  detail: z.string().optional(),
  retryable: z.boolean().optional(),
  errors: z.array(z.looseObject({ path: z.string(), message: z.string() })).optional(),
});

/** A problem of the API, said so that a model can mend its call. */
export class Refusal extends Error {
  /** Of the problem, empty where the answer was none. */
  code = "";

  static of(body: unknown): Refusal {
    const { data } = problem.safeParse(body);
    if (data === undefined)
      return new Refusal("Something went wrong. Nothing may have been done; look before you repeat it.");
    const mistakes = (data.errors ?? []).map(({ path, message }) => `${path} ${message}`);
    const again = data.retryable === true ? " It may work in a moment: repeat the call with the same call_id." : "";
    const refusal = new Refusal(`${data.code}: ${[data.detail ?? data.title, ...mistakes].join("; ")}.${again}`);
    refusal.code = data.code;
    return refusal;
  }
}

/** Asks by `send`, which is the gateway itself: the same identity, limits and rules as for any client. */
export function makeCallApi(
  send: (request: Request) => Promise<Response>,
  of: Readonly<{ origin: string; token: string }>,
): CallApi {
  return async ({ method, path, body, key, onReplay }) => {
    const headers = new Headers({ authorization: `Bearer ${of.token}` });
    if (body !== undefined) headers.set("content-type", "application/json");
    if (key !== undefined) headers.set("idempotency-key", key);
    const sent = { method, headers, ...(body === undefined ? {} : { body: JSON.stringify(body) }) };
    const answer = await send(new Request(`${of.origin}${path}`, sent));
    const text = await answer.text();
    const read: unknown = text === "" ? null : JSON.parse(text);
    if (!answer.ok) throw Refusal.of(read);
    if (answer.headers.get("idempotent-replayed") === "true") onReplay?.();
    return read;
  };
}
