import { expect, test } from "bun:test";
import { readCredential } from "../../../shared/http/credential.ts";
import { Problem } from "../../../shared/problem.ts";

function read(headers: Record<string, string>): string {
  try {
    const { token, via } = readCredential(new Request("http://h/v1/tasks", { headers }));
    return `${via} ${token}`;
  } catch (error) {
    return error instanceof Problem ? error.code : String(error);
  }
}

test.each<[Record<string, string>, string]>([
  [{ authorization: "Bearer a.b.c" }, "bearer a.b.c"],
  [{ authorization: "bearer   a.b.c  " }, "bearer a.b.c"],
  [{ authorization: "Bearer a.b.c", cookie: "taskwire_session=d.e.f" }, "bearer a.b.c"],
  [{ cookie: "a=1; taskwire_session=a.b.c; b=2" }, "cookie a.b.c"],
  [{ cookie: "taskwire_session=a.b.c;taskwire_session=a.b.c" }, "cookie a.b.c"],
  [{ cookie: "__Host-taskwire_session=a.b.c", "x-forwarded-proto": "HTTPS, http" }, "cookie a.b.c"],
])("%j is read as %s", (headers, credential) => {
  expect(read(headers)).toBe(credential);
});

test.each<[string, Record<string, string>]>([
  ["nothing", {}],
  ["another scheme, whatever the cookie", { authorization: "Basic YTpi", cookie: "taskwire_session=a.b.c" }],
  ["an empty header, whatever the cookie", { authorization: "", cookie: "taskwire_session=a.b.c" }],
  ["two headers", { authorization: "Bearer a.b.c, Bearer d.e.f" }],
  ["padding", { authorization: "Bearer a.b.c=" }],
  ["the other alphabet of base64", { authorization: "Bearer a.b/.c+" }],
  ["two parts", { authorization: "Bearer a.b" }],
  ["four parts", { authorization: "Bearer a.b.c.d" }],
  ["two cookies that differ", { cookie: "taskwire_session=a.b.c; taskwire_session=d.e.f" }],
  ["an empty cookie and another", { cookie: "taskwire_session=; taskwire_session=a.b.c" }],
  ["a name with a space", { cookie: "taskwire_session =a.b.c" }],
  ["a name with capitals", { cookie: "Taskwire_Session=a.b.c" }],
  ["a name that ends alike", { cookie: "x_taskwire_session=a.b.c" }],
  ["a value in quotes", { cookie: 'taskwire_session="a.b.c"' }],
  ["the name of https over http", { cookie: "__Host-taskwire_session=a.b.c" }],
  ["the name of http over https", { cookie: "taskwire_session=a.b.c", "x-forwarded-proto": "https" }],
])("%s is no credential", (_what, headers) => {
  expect(read(headers)).toBe("UNAUTHENTICATED");
});
