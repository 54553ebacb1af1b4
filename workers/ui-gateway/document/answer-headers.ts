type AnswerHeader = Readonly<{ description: string; schema: Readonly<Record<string, unknown>> }>;

const text = (description: string, example?: string, more: object = {}): AnswerHeader => ({
  description,
  schema: { type: "string", ...more, ...(example === undefined ? {} : { examples: [example] }) },
});

/** Every header of an answer that a client may want to read, besides those a route says itself. */
export const answerHeaders = {
  "X-Request-Id": text(
    "The id of the request, as the log has it: the one that was sent, else a new one.",
    "0193b2c8-7d5e-7c3a",
  ),
  "X-Stream-Cursor": text(
    "A position of your stream of changes, taken before the read: a stream or poll from here misses nothing that the answer has not. " +
      "Missing while there is none to promise.",
    "e1.3.1042",
  ),
  "Idempotent-Replayed": text("`true` on an answer that was given before under the same Idempotency-Key.", "true", {
    enum: ["true"],
  }),
  "Retry-After": {
    description: "Seconds to wait before the request is sent again.",
    schema: { type: "integer", minimum: 0, examples: [1] },
  },
  "RateLimit-Policy": text(
    "The limit that was asked last: `q` points can be saved up, and an empty bucket is full again after `w` seconds. A read costs 1 point, " +
      "a write 5, what changes a whole series, reads everything or decides everything again more. Missing where no limit holds.",
    '"user";q=600;w=4',
  ),
  RateLimit: text("`r` points are left of it, and all are back in `t` seconds.", '"user";r=595;t=1'),
  "WWW-Authenticate": text("How to say who you are.", "Bearer"),
} as const satisfies Readonly<Record<string, AnswerHeader>>;

type Name = keyof typeof answerHeaders;

type AnswerOf = Readonly<{ method: string; path: string; status: string; replays: boolean }>;

/** The headers of the table that an answer may carry. */
export function headersOf({ method, path, status, replays }: AnswerOf): readonly Name[] {
  const isGood = status.startsWith("2");
  const isProxied = !/^\/v1\/(session|stream|sync)(\/|$)/.test(path);
  return [
    "X-Request-Id",
    "RateLimit-Policy",
    "RateLimit",
    ...(method === "get" && (isGood || status === "304") && isProxied ? (["X-Stream-Cursor"] as const) : []),
    ...(replays && isGood ? (["Idempotent-Replayed"] as const) : []),
    ...(status === "429" || status === "503" ? (["Retry-After"] as const) : []),
    ...(status === "401" ? (["WWW-Authenticate"] as const) : []),
  ];
}
