import { deadLetterStates, type DeadLetterFilter } from "../actions/dead-letter-filter.ts";
import { commonOptions, usageError, type readArgs, type Terminal } from "../command.ts";
import { changeOptions, readTimeOption } from "../open-tools.ts";
import { readGroup } from "../read-group.ts";

export const dlqOptions = {
  ...commonOptions,
  ...changeOptions,
  group: { type: "string" },
  fingerprint: { type: "string" },
  key: { type: "string" },
  user: { type: "string" },
  class: { type: "string" },
  from: { type: "string" },
  to: { type: "string" },
  letter: { type: "string", multiple: true },
  state: { type: "string", default: "dead" },
  all: { type: "boolean", default: false },
  limit: { type: "string", default: "50" },
  partition: { type: "string" },
  offset: { type: "string" },
  rate: { type: "string", default: "50" },
  "max-lag": { type: "string", default: "1000" },
  id: { type: "string" },
  data: { type: "string" },
} as const;

export type DlqValues = ReturnType<typeof readArgs<typeof dlqOptions>>["values"];

export function readFilter(values: DlqValues, { now }: Terminal): DeadLetterFilter {
  for (const id of [...(values.letter ?? []), ...(values.user === undefined ? [] : [values.user])])
    if (!isUuid(id)) throw usageError(`"${id}" is no id`);
  const state = deadLetterStates.find((one) => one === values.state) ?? null;
  if (state === null && values.state !== "all")
    throw usageError(`--state is one of ${deadLetterStates.join(", ")}, all`);
  return {
    group: values.group === undefined ? null : readGroup(values.group),
    state,
    ids: values.letter ?? null,
    fingerprint: values.fingerprint ?? null,
    key: values.key ?? null,
    user: values.user ?? null,
    class: values.class ?? null,
    from: readTimeOption("from", values.from, now()),
    to: readTimeOption("to", values.to, now()),
  };
}

/** A change must say what it is about: everything is only meant when it is said. */
export function readChangeFilter(values: DlqValues, terminal: Terminal): DeadLetterFilter {
  const filter = readFilter(values, terminal);
  const { state, ...narrowing } = filter;
  if (state !== "dead") throw usageError("only what is dead can be changed");
  if (!values.all && Object.values(narrowing).every((part) => part === null))
    throw usageError("say which, by a filter, or --all");
  return filter;
}

export function isUuid(text: string): boolean {
  return /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i.test(text);
}
