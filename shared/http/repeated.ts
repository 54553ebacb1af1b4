import { z } from "@hono/zod-openapi";
import { jsonSchemaOf } from "./json-schema.ts";

/**
 * A field of a query that may be given up to `max` times, as `?tag=home&tag=garden`; with `comma` also as one value
 * with commas. `undefined` where it is not given; the same value twice is one.
 */
export function repeated<Item extends z.ZodType<string>>(
  item: Item,
  { max, comma = false }: Readonly<{ max: number; comma?: boolean }>,
) {
  const listed = (said: unknown): unknown => {
    if (said === undefined) return undefined;
    const all: unknown[] = Array.isArray(said) ? said : [said];
    return comma ? all.flatMap((one) => (typeof one === "string" ? one.split(",") : [one])) : all;
  };
  return z
    .preprocess(listed, z.array(item).max(max, `is given more than ${max} times`).optional())
    .transform((all): readonly z.output<Item>[] | undefined => (all === undefined ? undefined : [...new Set(all)]))
    .openapi({ type: "array", maxItems: max, items: { ...jsonSchemaOf(item, "input") } });
}

/** Whether a query's field may be given more than once. */
export function mayRepeat(field: z.ZodType): boolean {
  return jsonSchemaOf(field, "input")["type"] === "array";
}
