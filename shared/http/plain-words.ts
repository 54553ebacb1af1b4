import { z } from "@hono/zod-openapi";

type RawIssue = Parameters<z.core.$ZodErrorMap>[0];

const types: Readonly<Record<string, string>> = {
  string: "text",
  number: "a number",
  int: "a whole number",
  boolean: "true or false",
  array: "a list",
  object: "an object",
  record: "an object",
  null: "null",
};
const units: Readonly<Record<string, string>> = {
  string: "characters",
  array: "items",
  set: "items",
  record: "fields",
};
const formats: Readonly<Record<string, string>> = {
  email: "an email address",
  url: "an http or https URL",
  uuid: "a UUID",
  guid: "a UUID",
  date: "a day such as 2026-12-31",
  datetime: "an RFC 3339 time such as 2026-12-31T18:00:00Z",
};

/**
 * Makes zod say mistakes in words that go on from the name of a field: "is missing", not "expected string, received
 * undefined".
 */
export function usePlainWords(): void {
  z.config({ localeError: plainWords });
}

/** What is wrong with a value, for schemas that do not say it themselves. */
function plainWords(issue: RawIssue): string {
  if (issue.input === undefined) return "is missing";
  switch (issue.code) {
    case "invalid_type":
      return `is not ${types[issue.expected] ?? issue.expected}`;
    case "invalid_value":
      return `is not ${issue.values.length > 1 ? "one of " : ""}${issue.values.map(String).join(", ")}`;
    case "too_big":
      return sized(issue.origin, issue.inclusive === false ? "fewer than" : "at most", issue.maximum);
    case "too_small":
      return sized(issue.origin, issue.inclusive === false ? "more than" : "at least", issue.minimum);
    case "invalid_format":
      return `is not ${formats[issue.format] ?? "of the right form"}`;
    case "invalid_union":
      return "is none of the forms it may have";
    case "unrecognized_keys":
      return "has fields that are not known here";
    default:
      return "is not valid";
  }
}

function sized(origin: string, bound: string, limit: number | bigint): string {
  const unit = units[origin];
  return unit === undefined ? `is not ${bound} ${limit}` : `does not have ${bound} ${limit} ${unit}`;
}
