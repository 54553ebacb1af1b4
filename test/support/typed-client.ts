import type { paths } from "./api-schema.ts";

type Method = "get" | "put" | "post" | "patch" | "delete";
type Path = keyof paths;

type BodyOf<O> = O extends { requestBody: { content: { "application/json": infer B } } }
  ? { body: B }
  : { body?: undefined };
type PathOf<O> = O extends { parameters: { path: infer P } } ? { path: P } : { path?: undefined };
type QueryOf<O> = O extends { parameters: { query?: infer Q } } ? { query?: Q } : { query?: undefined };
type HeadersOf<O> = O extends { parameters: { header?: infer H } } ? { header?: H } : { header?: undefined };
// By operation: the compiler would combine the bodies of all with the queries of all, which are too many.
type Wish<O> = O extends unknown ? BodyOf<O> & PathOf<O> & QueryOf<O> & HeadersOf<O> : never;

type ContentOf<R> = R extends { content: { "application/json": infer C } } ? C : null;
type GoodStatus = 200 | 201 | 202 | 204;
type Responses<O> = O extends { responses: infer R } ? R : never;
type AnswerOf<O> = { [S in keyof Responses<O> & GoodStatus]: ContentOf<Responses<O>[S]> }[keyof Responses<O> &
  GoodStatus];

type TypedClient = Readonly<{
  /** Answers the body of a success; throws with the problem otherwise. */
  call: <P extends Path, M extends Method>(
    method: M,
    path: P,
    wish: paths[P][M] extends object ? Wish<paths[P][M]> : never,
  ) => Promise<AnswerOf<paths[P][M]>>;
}>;

type Loose = Readonly<{ body?: unknown; path?: object; query?: object; header?: object }>;

/** A client made of the API's types alone, as a stranger's would be. */
export function typedClient(base: string, token: string): TypedClient {
  const call = async (method: string, path: string, { body, path: ids = {}, query = {}, header = {} }: Loose) => {
    const filled = Object.entries(ids).reduce(
      (text, [name, id]) => text.replace(`{${name}}`, encodeURIComponent(String(id))),
      path,
    );
    const url = new URL(filled, base);
    for (const [name, value] of Object.entries(query)) url.searchParams.set(name, String(value));
    const answer = await fetch(url, {
      method: method.toUpperCase(),
      headers: {
        authorization: `Bearer ${token}`,
        ...(body === undefined ? {} : { "content-type": "application/json" }),
        ...textsOf(header),
      },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    const text = await answer.text();
    if (!answer.ok) throw new Error(`${method} ${path} answered ${answer.status}: ${text}`);
    return text === "" ? null : JSON.parse(text);
  };
  // Each call is checked against its own operation, where it is made; the union of all is more than the compiler takes
  // apart. That the answer is of its type is what the document promises and the fuzzing test checks.
  return { call: call as never };
}

function textsOf(headers: object): Record<string, string> {
  return Object.fromEntries(Object.entries(headers).map(([name, value]) => [name, String(value)]));
}
