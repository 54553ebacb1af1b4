import { expect, test } from "bun:test";
import { assembleDocument, gatewayWithoutParts } from "../../../dev/api/assemble-document.ts";
import { examineDocument } from "../../../dev/api/examine-document.ts";
import { operationIdOf } from "../../../workers/ui-gateway/document/name-operation.ts";
import { routeCosts } from "../../../workers/ui-gateway/limits/route-costs.ts";

const document = await assembleDocument();

test("the document of all roles has no fault", async () => {
  expect(await examineDocument(document)).toEqual([]);
}, 20_000);

type Change = (document: {
  paths: Record<string, Record<string, Record<string, unknown>>>;
  components: { schemas: Record<string, Record<string, unknown>> };
}) => void;

const faults: readonly [string, Change, string][] = [
  [
    "a default that does not fit",
    ({ components }) => void (components.schemas["Channel"]!["default"] = { type: "x" }),
    "#/components/schemas/Channel/default",
  ],
  [
    "an example that does not fit",
    ({ components }) => void (components.schemas["Snooze"]!["examples"] = [{}]),
    "#/components/schemas/Snooze/examples",
  ],
  [
    "a keyword with a wrong value",
    ({ components }) => void (components.schemas["Task"]!["required"] = "id"),
    "#/components/schemas/Task is no JSON Schema",
  ],
  [
    "an answer that says nothing",
    ({ components }) => void (components.schemas["Task"]!["properties"] = { x: {} }),
    "Task/properties/x says nothing",
  ],
  ["no summary", ({ paths }) => void delete paths["/v1/series"]!["get"]!["summary"], "GET /v1/series has no summary"],
  [
    "no operationId",
    ({ paths }) => void delete paths["/v1/reminders"]!["get"]!["operationId"],
    "GET /v1/reminders has no operationId",
  ],
  [
    "an operationId twice",
    ({ paths }) => void (paths["/v1/tasks"]!["get"]!["operationId"] = "createTask"),
    "has the operationId of",
  ],
  ["an unknown tag", ({ paths }) => void (paths["/v1/tasks"]!["get"]!["tags"] = ["x"]), "GET /v1/tasks has no tag"],
  [
    "no word about failures",
    ({ paths }) => void delete (paths["/v1/tasks"]!["post"]!["responses"] as Record<string, unknown>)["422"],
    "POST /v1/tasks does not say what 422 means",
  ],
  [
    "a reference to nothing",
    ({ components }) => void delete components.schemas["Problem"],
    "#/components/schemas/Problem is referred to",
  ],
];

test("the examination finds every kind of fault", async () => {
  const broken = structuredClone(document);
  for (const [, change] of faults) change(broken as unknown as Parameters<Change>[0]); // the parts that are changed are of this shape
  const found = (await examineDocument(broken)).join("\n");
  for (const [, , fault] of faults) expect(found).toContain(fault);
}, 20_000);

test("without a role its paths are missing and named, and the rest is valid", async () => {
  const readDocument = () => Promise.reject(new Error("down"));
  const answer = await gatewayWithoutParts({ readDocument }).fetch(new Request("http://taskwire.invalid/openapi.json"));
  const alone = (await answer.json()) as Record<string, unknown>;
  expect(alone["x-unavailable"]).toContain("task-service");
  expect(await examineDocument(alone)).toEqual([]);
}, 20_000);

test.each([
  ["get", "/v1/tasks", "listTasks"],
  ["get", "/v1/tasks/{id}", "getTask"],
  ["post", "/v1/tasks", "createTask"],
  ["delete", "/v1/tasks/{id}", "deleteTask"],
  ["post", "/v1/tasks/{id}/complete", "completeTask"],
  ["post", "/v1/tasks/{id}/reminders", "createTaskReminder"],
  ["post", "/v1/reminders/{id}/dismiss", "dismissReminder"],
  ["post", "/v1/batch", "runBatch"],
  ["get", "/v1/series/{id}/occurrences", "listSeriesOccurrences"],
  ["get", "/v1/stream", "openStream"],
])("%s %s is %s", (method, path, id) => expect(operationIdOf(method, path)).toBe(id));

test("every operation says what it costs, and every cost of the table is that of an operation", () => {
  const operations = Object.entries(document.paths).flatMap(([path, item]) =>
    Object.entries(item as Record<string, Record<string, unknown>>).map(([method, operation]) => ({
      method: method.toUpperCase(),
      path,
      cost: operation["x-cost"],
    })),
  );
  expect(operations.filter(({ path, cost }) => path !== "/v1/session" && cost === undefined)).toEqual([]);
  expect(operations.find(({ method, path }) => method === "PATCH" && path === "/v1/tasks/{id}")?.cost).toEqual({
    points: 5,
    most: 20,
    when: "with a scope, and 5 for each further event",
  });
  const stale = routeCosts.filter(
    (cost) => !operations.some(({ method, path }) => method === cost.method && cost.path.test(path)),
  );
  expect(stale).toEqual([]);
});
