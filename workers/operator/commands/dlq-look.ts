import { readDeadLetter, type DeadLetterDetail } from "../actions/read-dead-letter.ts";
import { groupDeadLetters, listDeadLetters } from "../actions/list-dead-letters.ts";
import { readNumber, type Terminal } from "../command.ts";
import { openOpsCodec, openOpsDb } from "../open-tools.ts";
import { printTable } from "../print-table.ts";
import { readFilter, type DlqValues } from "./dlq-options.ts";

const cut = (text: string, length = 100) => (text.split("\n")[0] ?? "").slice(0, length);

export async function groups(_: readonly string[], values: DlqValues, terminal: Terminal): Promise<number> {
  const filter = readFilter(values, terminal);
  await using db = await openOpsDb(terminal);
  const found = await groupDeadLetters(db.sql, filter);
  if (values.json) terminal.print(JSON.stringify({ groups: found }));
  else if (found.length === 0)
    terminal.print("there are no dead letters of groups; `ops dlq topics` shows what was never published");
  else
    terminal.print(
      printTable(
        ["GROUP", "FINGERPRINT", "COUNT", "CLASS", "KEYS", "USERS", "FIRST", "LAST", "SAMPLE", "ERROR"],
        found.map((kind) => [
          kind.group,
          kind.fingerprint,
          kind.count,
          kind.classes.join(","),
          kind.keys,
          kind.users,
          kind.first.toISOString(),
          kind.last.toISOString(),
          kind.sample,
          cut(kind.error),
        ]),
      ),
    );
  return 0;
}

export async function list(_: readonly string[], values: DlqValues, terminal: Terminal): Promise<number> {
  const filter = readFilter(values, terminal);
  const limit = readNumber("limit", values.limit);
  await using db = await openOpsDb(terminal);
  const found = await listDeadLetters(db.sql, filter, limit);
  if (values.json) terminal.print(JSON.stringify({ deadLetters: found }));
  else if (found.length === 0) terminal.print("there are none");
  else
    terminal.print(
      printTable(
        ["ID", "DIED", "STATE", "GROUP", "TOPIC", "POSITION", "TYPE", "KEY", "CLASS", "REDRIVES", "ERROR"],
        found.map((one) => [
          one.id,
          one.deadAt.toISOString(),
          one.state,
          one.group,
          one.topic,
          `${one.partition}/${one.offset}`,
          one.type,
          one.key,
          one.class,
          one.redrives,
          cut(one.error, 80),
        ]),
      ),
    );
  return 0;
}

export async function show([id = ""]: readonly string[], values: DlqValues, terminal: Terminal): Promise<number> {
  await using db = await openOpsDb(terminal);
  const letter = await readDeadLetter({ sql: db.sql, codec: () => openOpsCodec(terminal, db) }, id);
  terminal.print(values.json ? JSON.stringify(letter) : describe(letter));
  return 0;
}

function describe(letter: DeadLetterDetail): string {
  const { headers, stack, attempts, value, read, ...facts } = letter;
  const text = (fact: unknown) =>
    fact instanceof Date ? fact.toISOString() : Array.isArray(fact) ? fact.join(", ") : `${fact ?? "-"}`;
  const factRows = Object.entries(facts).map(([name, fact]) => [name, text(fact)]);
  const headerRows = headers.map(([name, is]) => [name, typeof is === "string" ? is : `base64 ${is.base64}`]);
  const tries = attempts.map((attempt) => [attempt.at, attempt.class, cut(attempt.error)]);
  return [
    printTable(["", ""], factRows).trimStart(),
    `headers\n${printTable(["", ""], headerRows).trimStart()}`,
    attempts.length === 0 ? "no try is on record" : printTable(["TRIED", "CLASS", "ERROR"], tries),
    ...(stack === null || stack === "" ? [] : [stack]),
    `value, ${read}:\n${typeof value === "string" ? value : JSON.stringify(value, null, 2)}`,
  ].join("\n\n");
}
