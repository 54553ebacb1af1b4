import { z } from "@hono/zod-openapi";
import { defineAction } from "../action.ts";
import { groupDeadLetters, listDeadLetters } from "../actions/list-dead-letters.ts";
import { readDeadLetter, type DeadLetterDetail } from "../actions/read-dead-letter.ts";
import { limit } from "../fields.ts";
import { cut, printTable, tableOf } from "../print-table.ts";
import { cli, lookFields, lookFilter } from "./dlq-filter.ts";

export const groups = defineAction({
  route: "GET /api/dead-letters/groups",
  input: z.strictObject({ ...lookFields, limit }),
  cli,
  run: async ({ db, now }, asked) => {
    const filter = await lookFilter(asked, now);
    return { groups: await groupDeadLetters((await db()).sql, filter) };
  },
  print: ({ groups: found }) =>
    found.length === 0
      ? "there are no dead letters of groups; `ops dlq topics` shows what was never published"
      : tableOf(
          [
            "group",
            "fingerprint",
            "count",
            ["class", (kind) => kind.classes.join(",")],
            "keys",
            "users",
            "first",
            "last",
            "sample",
            ["error", (kind) => cut(kind.error, 100)],
          ],
          found,
        ),
});

export const ls = defineAction({
  route: "GET /api/dead-letters",
  input: z.strictObject({ ...lookFields, limit }),
  cli: { ...cli, fallbacks: { limit: "50" } },
  run: async ({ db, now }, { limit: most, ...asked }) => {
    const filter = await lookFilter(asked, now);
    return { deadLetters: await listDeadLetters((await db()).sql, filter, most) };
  },
  print: ({ deadLetters }) =>
    deadLetters.length === 0
      ? "there are none"
      : tableOf(
          [
            "id",
            ["died", "deadAt"],
            "state",
            "group",
            "topic",
            ["position", (letter) => `${letter.partition}/${letter.offset}`],
            "type",
            "key",
            "class",
            "redrives",
            ["error", (letter) => cut(letter.error)],
          ],
          deadLetters,
        ),
});

export const show = defineAction({
  route: "GET /api/dead-letters/:id",
  input: z.strictObject({ id: z.uuid() }),
  cli: { words: { id: "the id of a dead letter" } },
  run: async ({ db, codec }, { id }) => readDeadLetter({ sql: (await db()).sql, codec }, id),
  print: describe,
});

function describe(letter: DeadLetterDetail): string {
  const { headers, stack, attempts, value, read, ...facts } = letter;
  const text = (fact: unknown) =>
    fact instanceof Date ? fact.toISOString() : Array.isArray(fact) ? fact.join(", ") : `${fact ?? "-"}`;
  const factRows = Object.entries(facts).map(([name, fact]) => [name, text(fact)]);
  const headerRows = headers.map(([name, is]) => [name, typeof is === "string" ? is : `base64 ${is.base64}`]);
  const tries = attempts.map((attempt) => [attempt.at, attempt.class, cut(attempt.error, 100)]);
  return [
    printTable(["", ""], factRows).trimStart(),
    `headers\n${printTable(["", ""], headerRows).trimStart()}`,
    attempts.length === 0 ? "no try is on record" : printTable(["TRIED", "CLASS", "ERROR"], tries),
    ...(stack === null || stack === "" ? [] : [stack]),
    `value, ${read}:\n${typeof value === "string" ? value : JSON.stringify(value, null, 2)}`,
  ].join("\n\n");
}
