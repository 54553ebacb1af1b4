import { createParser, type EventSourceMessage } from "eventsource-parser";
import { until } from "./until.ts";

/** A signed-in user of the gateway at `base`. */
export type Client = Readonly<{
  userId: string;
  token: string;
  /** Sends JSON, answers status, headers and the parsed body (`null` without one). */
  call: <T = Json>(
    method: string,
    path: string,
    body?: unknown,
    headers?: Readonly<Record<string, string>>,
  ) => Promise<Answer<T>>;
  /** The same, for what must succeed; with an idempotency key, retried while the way is blocked. */
  must: <T = Json>(
    method: string,
    path: string,
    body?: unknown,
    headers?: Readonly<Record<string, string>>,
  ) => Promise<T>;
}>;

// A test reads the fields it names; a missing one fails its expectation.
export type Json = Record<string, unknown> & { id: string; version: number; items: Json[] };
type Answer<T> = Readonly<{ status: number; headers: Headers; body: T }>;

export async function signIn(base: string, user: string): Promise<Client> {
  const response = await fetch(`${base}/v1/session`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ user }),
  });
  if (!response.ok) throw new Error(`sign-in answered ${response.status}: ${await response.text()}`);
  const session = (await response.json()) as { token: string; user_id: string };
  const call: Client["call"] = async <T>(
    method: string,
    path: string,
    body?: unknown,
    headers?: Readonly<Record<string, string>>,
  ) => {
    const answer = await fetch(base + path, {
      method,
      headers: {
        authorization: `Bearer ${session.token}`,
        ...(body === undefined ? {} : { "content-type": "application/json" }),
        ...headers,
      },
      ...(body === undefined ? {} : { body: typeof body === "string" ? body : JSON.stringify(body) }),
      signal: AbortSignal.timeout(15_000),
    });
    const text = await answer.text();
    return { status: answer.status, headers: answer.headers, body: (text === "" ? null : parse(text)) as T };
  };
  return {
    userId: session.user_id,
    token: session.token,
    call,
    must: async <T>(method: string, path: string, body?: unknown, headers: Readonly<Record<string, string>> = {}) => {
      const once = { "idempotency-key": crypto.randomUUID(), ...headers };
      let last = "";
      return await until(
        `${method} ${path} succeeds`,
        async () => {
          const answer = await call<T>(method, path, body, once).catch((error: unknown) => error as Error);
          if (answer instanceof Error) last = answer.message;
          else if (answer.status < 300) return { done: answer.body };
          else if (answer.status < 500 && answer.status !== 429 && answer.status !== 409)
            throw new Error(`${method} ${path} answered ${answer.status}: ${JSON.stringify(answer.body)}`);
          else last = `${answer.status} ${JSON.stringify(answer.body)}`;
          return null;
        },
        { timeoutMs: 30_000, describe: () => last },
      ).then(({ done }) => done);
    },
  };
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}

/** All tasks of a user, completed ones and templates' occurrences included, page by page. */
export async function allTasks(user: Client): Promise<readonly Json[]> {
  const tasks: Json[] = [];
  for (let cursor = ""; ;) {
    const page = await user.must<Json & { next_cursor: string | null }>(
      "GET",
      `/v1/tasks?status=all&limit=200${cursor}`,
    );
    tasks.push(...page.items);
    if (!page.next_cursor) return tasks;
    cursor = `&cursor=${encodeURIComponent(page.next_cursor)}`;
  }
}

type StreamEvent = Readonly<{
  id: string;
  event: string;
  data: Json & { payload: Json; change_type: string; task_id: string };
}>;

export type Stream = Disposable &
  Readonly<{
    /** Everything received so far, in order. */
    events: readonly StreamEvent[];
    changes: () => readonly StreamEvent[];
    lastId: () => string | null;
    /** True once the server or the network has closed it. */
    ended: () => boolean;
    waitFor: (what: string, matches: (event: StreamEvent) => boolean, timeoutMs?: number) => Promise<StreamEvent>;
    close: () => void;
  }>;

/** Opens the stream as `curl -N` would; it does not reconnect by itself. Resolves once the server has answered. */
export async function openStream(base: string, client: Client, lastEventId?: string | null): Promise<Stream> {
  const abort = new AbortController();
  const response = await fetch(`${base}/v1/stream`, {
    headers: { authorization: `Bearer ${client.token}`, ...(lastEventId ? { "last-event-id": lastEventId } : {}) },
    signal: abort.signal,
  });
  if (!response.ok || !response.body)
    throw new Error(`the stream answered ${response.status}: ${await response.text()}`);
  const events: StreamEvent[] = [];
  let lastId: string | null = lastEventId ?? null;
  const parser = createParser({
    onEvent: (message: EventSourceMessage) => {
      if (message.id) lastId = message.id;
      events.push({
        id: message.id ?? "",
        event: message.event ?? "message",
        data: parse(message.data) as StreamEvent["data"],
      });
    },
  });
  const { body } = response;
  let ended = false;
  void (async () => {
    try {
      const decoder = new TextDecoder();
      for await (const bytes of body) parser.feed(decoder.decode(bytes, { stream: true }));
    } catch {
      // Closed by either side: what came until then is in `events`.
    } finally {
      ended = true;
    }
  })();
  const close = () => abort.abort();
  return {
    events,
    changes: () => events.filter(({ event }) => event === "task.changed"),
    lastId: () => lastId,
    ended: () => ended,
    waitFor: (what, matches, timeoutMs = 15_000) =>
      until(`the stream shows ${what}`, () => events.find(matches) ?? null, {
        timeoutMs,
        describe: () =>
          events
            .slice(-5)
            .map((event) => JSON.stringify(event))
            .join("\n"),
      }),
    close,
    [Symbol.dispose]: close,
  };
}
