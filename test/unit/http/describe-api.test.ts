import { createRoute, OpenAPIHono, z } from "@hono/zod-openapi";
import { describe, expect, test } from "bun:test";
import { describeApi } from "../../../shared/http/describe-api.ts";
import { jsonSchemaOf } from "../../../shared/http/json-schema.ts";

describe("the JSON Schema of a zod schema", () => {
  const described = z.string().openapi({ description: "a word", example: "x" });
  test.each([
    [
      "null stays beside a description",
      described.nullable(),
      { type: ["string", "null"], description: "a word", examples: ["x"] },
    ],
    [
      "null stays beside a type that was said",
      z.string().transform(Number).openapi({ type: "string" }).nullable(),
      { type: ["string", "null"] },
    ],
    ["null stays in an enum", z.enum(["a"]).nullable(), { type: ["string", "null"], enum: ["a", null] }],
    [
      "null stays beside a name",
      z.object({}).openapi("Named").nullable(),
      { anyOf: [{ type: "object", properties: {}, "x-name": "Named" }, { type: "null" }] },
    ],
    [
      "words of the outside win",
      described.nullable().openapi({ description: "none" }),
      { type: ["string", "null"], description: "none", examples: ["x"] },
    ],
    [
      "a default is a note",
      z.object({ a: z.int().default(3) }),
      { type: "object", properties: { a: { type: "integer", "x-default": 3 } } },
    ],
    [
      "an optional field is not required",
      z.object({ a: z.int().exactOptional() }),
      { type: "object", properties: { a: { type: "integer" } } },
    ],
  ])("of a request: %s", (_, schema, expected) => expect(jsonSchemaOf(schema, "input")).toEqual(expected));

  test("of an answer: a default is always there, and more may be", () => {
    expect(jsonSchemaOf(z.strictObject({ a: z.int().default(3) }), "output")).toEqual({
      type: "object",
      properties: { a: { type: "integer", default: 3 } },
      required: ["a"],
    });
  });
});

describe("the description of routes", () => {
  function setup(sent: z.ZodType, answered: z.ZodType) {
    const app = new OpenAPIHono();
    const media = (schema: z.ZodType) => ({ content: { "application/json": { schema } } });
    const request = {
      body: { required: true, ...media(sent) },
      query: z.object({ limit: z.coerce.number().int().default(50) }),
    };
    const responses = { 200: { description: "ok", ...media(answered) } };
    app.openAPIRegistry.registerPath(createRoute({ method: "post", path: "/v1/things", request, responses }));
    const { paths, components } = describeApi(app.openAPIRegistry.definitions);
    return { text: JSON.stringify(paths), schemas: components["schemas"] ?? {}, paths };
  }

  test("one schema that differs in requests has two names, and so has what holds it", () => {
    const part = z.object({ a: z.int().default(1) }).openapi("Part");
    const whole = z.object({ part }).openapi("Whole");
    const { text, schemas } = setup(whole, whole);
    expect(Object.keys(schemas).toSorted()).toEqual(["Part", "PartInput", "Whole", "WholeInput"]);
    expect(text).toContain('"#/components/schemas/WholeInput"');
    expect(JSON.stringify(schemas["WholeInput"])).toContain('"#/components/schemas/PartInput"');
    expect(JSON.stringify(schemas["Whole"])).toContain('"#/components/schemas/Part"');
  });

  test("one that is the same on both sides has one", () => {
    const same = z.strictObject({ a: z.int() }).openapi("Same");
    expect(Object.keys(setup(same, same).schemas)).toEqual(["Same"]);
  });

  test("two schemas of one name are a mistake", () => {
    const one = z.object({
      a: z.object({ x: z.int() }).openapi("Twice"),
      b: z.object({ y: z.int() }).openapi("Twice"),
    });
    expect(() => setup(z.object({}), one)).toThrow("two different schemas are called Twice");
  });

  test("a parameter with a default keeps it and is not required", () => {
    const { paths } = setup(z.object({}), z.object({}));
    expect(paths["/v1/things"]?.["post"]).toMatchObject({
      parameters: [{ name: "limit", in: "query", required: false, schema: { type: "integer", default: 50 } }],
    });
  });
});
