import { z } from "@hono/zod-openapi";
import { deadLetterStates, type DeadLetterFilter } from "../actions/dead-letter-filter.ts";
import { all, group, moment, name, readSpan } from "../fields.ts";

const fields = {
  group: group.optional(),
  fingerprint: name.optional(),
  key: name.optional(),
  user: z.uuid().optional(),
  class: name.optional(),
  from: moment.optional(),
  to: moment.optional(),
};
const ids = z.array(z.uuid()).max(10_000).optional();

/** Which dead letters to look at; a query has no list, so `ids` are for the command line. */
export const lookFields = { ...fields, ids, state: z.enum([...deadLetterStates, "all"]).default("dead") };
export const cli = { options: { ids: "letter" }, says: { filter: "say which, by a filter, or --all" } };

/** Which to change: everything is only meant when it is said. Refused by `saysWhich` otherwise. */
export const whichFields = {
  filter: z
    .strictObject({
      ...fields,
      ids,
      state: z.literal("dead", { error: "only what is dead can be changed" }).optional(),
    })
    .optional(),
  all,
};
type DeadLetterChoice = z.output<z.ZodObject<typeof whichFields>>;

export function saysWhich({ filter = {}, all: isAll }: DeadLetterChoice): boolean {
  return isAll === true || Object.keys(filter).length > 0;
}
export const sayWhich = { path: ["filter"], message: "say which, or all: true" };

type DeadLetterSearch = z.output<z.ZodObject<typeof fields>> &
  Readonly<{ state?: string | undefined; ids?: readonly string[] | undefined }>;

/** The filter that is looked by; `state` is `dead` unless said. */
export function lookFilter(asked: DeadLetterSearch, now: () => Promise<Date>): Promise<DeadLetterFilter> {
  return readFilter(asked, now, "query.to");
}

export function changeFilter({ filter = {} }: DeadLetterChoice, now: () => Promise<Date>): Promise<DeadLetterFilter> {
  return readFilter(filter, now, "/filter/to");
}

async function readFilter(
  { state = "dead", ...asked }: DeadLetterSearch,
  now: () => Promise<Date>,
  path: "query.to" | "/filter/to",
): Promise<DeadLetterFilter> {
  return {
    group: asked.group ?? null,
    state: deadLetterStates.find((one) => one === state) ?? null,
    ids: asked.ids ?? null,
    fingerprint: asked.fingerprint ?? null,
    key: asked.key ?? null,
    user: asked.user ?? null,
    class: asked.class ?? null,
    ...(await readSpan(asked, now, path)),
  };
}
