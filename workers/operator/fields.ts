import { z } from "@hono/zod-openapi";
import { wholeNumber } from "../../shared/http/whole-number.ts";
import { refuseBackwards } from "../../shared/http/refuse-backwards.ts";
import { groupNames, type GroupName } from "../../shared/messages/topics.ts";
import { readGroup } from "./read-group.ts";
import { isAge, readTime } from "./read-time.ts";

// Fields of actions' inputs.

export const name = z.string().min(1).max(1000);
export const group = z.enum(groupNames as [GroupName]);
/** The same as a part of a path: one that is not there is NOT_FOUND. */
export const namedGroup = z.string().transform(readGroup);
export const limit = wholeNumber({ min: 1, max: 1000, fallback: 100 });
export const rate = (fallback: number) => z.number().int().min(1).max(10_000).default(fallback);
/** All of them is meant only where it is said. */
export const all = z.literal(true).optional();
/** RFC 3339 or an age; see `readMoment`. */
export const moment = z
  .string()
  .refine((text) => readTime(text, new Date(0)) !== null, "must be RFC 3339 or an age such as 2h");

/** The time a `moment` says. The clock is asked only for an age. */
export async function readMoment(text: string | undefined, now: () => Promise<Date>): Promise<Date | null> {
  return text === undefined ? null : readTime(text, isAge(text) ? await now() : new Date(0));
}

/** Both ends of a span of time; throws INVALID_REQUEST where it ends before it begins. */
export async function readSpan(
  { from, to }: Readonly<{ from?: string | undefined; to?: string | undefined }>,
  now: () => Promise<Date>,
  path: Parameters<typeof refuseBackwards>[1],
): Promise<Readonly<{ from: Date | null; to: Date | null }>> {
  const span = { from: await readMoment(from, now), to: await readMoment(to, now) };
  if (span.from !== null && span.to !== null) refuseBackwards({ from: span.from, to: span.to }, path);
  return span;
}
