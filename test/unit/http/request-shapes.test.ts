import { describe, expect, test } from "bun:test";
import { OpenAPIHono, createRoute, z } from "@hono/zod-openapi";
import { span } from "../../../shared/preferences/preferences.ts";
import { instant } from "../../../shared/tasks/instant.ts";
import { relativeReminders } from "../../../shared/tasks/relative-reminders-input.ts";
import { snoozeInput } from "../../../workers/reminder-service/snooze-until.ts";

type Said = Readonly<{
  pattern?: string;
  items?: Said;
  maxItems?: number;
  minProperties?: number;
  maxProperties?: number;
  properties?: Record<string, Said>;
}>;

/** What the OpenAPI document says of a body of this shape. */
function saidOf(schema: z.ZodType): Said {
  const app = new OpenAPIHono();
  const content = { "application/json": { schema: z.strictObject({ it: schema }) } };
  app.openapi(
    createRoute({ method: "post", path: "/", request: { body: { content } }, responses: { 200: { description: "" } } }),
    (c) => c.body(null, 200),
  );
  const document = app.getOpenAPI31Document({ openapi: "3.1.0", info: { title: "", version: "" } });
  // Only what this test put there is in it.
  const body = document as unknown as {
    paths: { "/": { post: { requestBody: { content: Record<string, { schema: { properties: { it: Said } } }> } } } };
    components: { schemas: Record<string, Said> };
  };
  const { it } = body.paths["/"].post.requestBody.content["application/json"]?.schema.properties ?? { it: {} };
  const named = (said: Said): Said =>
    "$ref" in said ? (body.components.schemas[String(said.$ref).split("/").at(-1) ?? ""] ?? {}) : said;
  const { items, ...whole } = named(it);
  return items === undefined ? whole : { ...whole, items: named(items) };
}

describe.each<[string, z.ZodType, string, (text: string) => unknown, readonly string[], readonly string[]]>([
  [
    "an instant",
    instant,
    saidOf(instant).pattern ?? "",
    (text) => text,
    ["2026-12-31T18:00Z", "1970-01-01T00:00:00Z", "2199-12-31T23:59:59.999Z", "2026-12-31T18:00:00+01:00"],
    [
      "0666-01-01T00:00:00Z",
      "7416-12-27T19:30:02Z",
      "1969-12-31T23:59:59Z",
      "2200-01-01T00:00:00Z",
      "2026-12-31T18:00:00",
      "tomorrow",
      "2026-12-31",
    ],
  ],
  [
    "a span",
    span,
    saidOf(span).pattern ?? "",
    (text) => text,
    ["PT6H", "P30D", "P1DT1H30M", "PT0S", "PT3600S", "P9D"],
    ["P31D", "P1M", "P1W", "P", "PT", "P1DT", "6h", "PT1.5H", "-PT1H", ""],
  ],
  [
    "a reminder's rule",
    relativeReminders,
    saidOf(relativeReminders).items?.pattern ?? "",
    (text) => [text],
    ["PT15M", "PT0S", "P1D", "P1W", "P1DT2H", "P1D@18:00", "P0D@09:00", "P52W", "P366D"],
    ["P1M", "P1Y", "P", "PT", "P@18:00", "P1D@24:00", "P1DT1H@18:00", "PT1H@18:00", "1 hour", "15", "P1000D", ""],
  ],
])("what the document says of %s", (_what, schema, pattern, bodyOf, right, wrong) => {
  test.each([...right.map((text) => [text, true] as const), ...wrong.map((text) => [text, false] as const)])(
    "%s: %p, as it is taken",
    (text, isRight) => {
      expect([new RegExp(pattern).test(text), schema.safeParse(bodyOf(text)).success]).toEqual([isRight, isRight]);
    },
  );
});

test("the document says how many rules a task may have, and that a snooze takes exactly one of three", () => {
  expect(saidOf(relativeReminders).maxItems).toBe(10);
  const { minProperties, maxProperties, properties } = saidOf(snoozeInput);
  expect([minProperties, maxProperties]).toEqual([1, 1]);
  expect(Object.keys(properties ?? {})).toEqual(["until", "for", "preset"]);
  expect(properties?.["for"]?.pattern).toBe(saidOf(span).pattern);
});
