import { z } from "@hono/zod-openapi";

/**
 * A whole number in a query: decimal digits and nothing else, so that `1e1`, `0x10` and ` 10` are mistakes and not
 * numbers.
 */
export function wholeNumber({ min, max, fallback }: Readonly<{ min: number; max: number; fallback: number }>) {
  const message = `is not a whole number from ${min} to ${max}`;
  return z
    .string()
    .regex(/^\d{1,15}$/, { error: message, abort: true })
    .transform(Number)
    .refine((number) => number >= min && number <= max, message)
    .default(fallback)
    .openapi({ type: "integer", minimum: min, maximum: max, default: fallback });
}
