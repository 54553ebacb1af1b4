import { describe, expect, test } from "bun:test";
import { apiDocument } from "../../../workers/ui-gateway/document/api-document.ts";
import { docsPolicy, renderDocs } from "../../../workers/ui-gateway/document/reference/render-docs.ts";
import { upstreamOf } from "../../../workers/ui-gateway/http/upstreams.ts";

describe("who answers a path", () => {
  test.each([
    ["/v1/tasks", "task-service"],
    ["/v1/tasks/1", "task-service"],
    ["/v1/tasks/1/complete", "task-service"],
    ["/v1/tasks/1/reminders", "reminder-service"],
    ["/v1/tasks/1/reminders/2", "reminder-service"],
    ["/v1/tasks/1/remindersx", "task-service"],
    ["/v1/reminders", "reminder-service"],
    ["/v1/reminders/1/dismiss", "reminder-service"],
    ["/v1/series/1", "recurring-task-worker"],
    ["/v1/preferences", "reminder-scheduling-worker"],
    ["/v1/notifications", "notification-service"],
    ["/v1/export.ics", "task-service"],
    ["/v1/batch", "task-service"],
    ["/v1/tasksx", null],
    ["/v1/", null],
    ["/v2/tasks", null],
  ] as const)("%s: %p", (path, upstream) => expect(upstreamOf(path)).toBe(upstream));
});

describe("the API document", () => {
  const own = { openapi: "3.1.0", paths: { "/v1/session": {} }, components: { schemas: { Task: { type: "string" } } } };
  const other = {
    paths: {
      "/v1/tasks": {
        get: {
          summary: "<script>",
          responses: { 200: { description: "", content: { j: { schema: { $ref: "#/components/schemas/Task" } } } } },
        },
      },
    },
    components: { schemas: { Task: { type: "object", properties: { Task: { type: "number" } } } } },
  };
  const read = async () =>
    apiDocument(own, (role) => (role === "task-service" ? Promise.resolve(other) : Promise.reject(new Error("down"))));

  test("holds everybody's paths, renames what would clash, and says who is missing", async () => {
    const document = await read();
    expect(Object.keys(document.paths).toSorted()).toEqual(["/v1/session", "/v1/tasks"]);
    expect(document.components["schemas"]).toEqual({
      Task: { type: "string" },
      TaskServiceTask: { type: "object", properties: { Task: { type: "number" } } },
    });
    expect(JSON.stringify(document.paths)).toContain("#/components/schemas/TaskServiceTask");
    expect(document["x-unavailable"]).toContain("reminder-service");
  });

  test("is rendered without scripts and with everything escaped", async () => {
    const html = renderDocs(await read());
    expect(html).not.toContain("<script");
    expect(html).toContain("/v1/tasks");
    expect(html).toContain("&#60;script&#62;");
    expect(docsPolicy).toContain("default-src 'none'");
    expect(html).toContain("Costs</a> 1 point; 5 where it finds or sorts.");
    expect(html).toContain("RATE_LIMITED");
  });
});
