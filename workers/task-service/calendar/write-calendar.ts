import type { Breathe } from "../../../shared/waiting/breathe.ts";
import { contentLine } from "./content-line.ts";
import { vtimezone } from "./vtimezone.ts";
import { writeTodos, type ExportedTask } from "./write-todos.ts";

const product = "-//Taskwire//Tasks//EN";

/**
 * A VCALENDAR as text, in pieces: the head with a VTIMEZONE for each zone, then what each page of tasks gives, then the
 * end. `zones` must hold every zone a page will use. Pages are asked for as the reader takes them, so memory holds one
 * at a time; `breathe` is awaited between tasks.
 */
export async function* writeCalendar(
  zones: readonly string[],
  pages: AsyncIterable<readonly ExportedTask[]>,
  breathe: Breathe,
): AsyncGenerator<string> {
  const named = [...new Set(zones)].filter((zone) => zone !== "UTC").sort();
  yield [
    contentLine("BEGIN", "VCALENDAR"),
    contentLine("VERSION", "2.0"),
    contentLine("PRODID", product),
    contentLine("CALSCALE", "GREGORIAN"),
  ].join("");
  for (const zone of named) {
    await breathe();
    yield vtimezone(zone);
  }
  for await (const page of pages) {
    const todos: string[] = [];
    for (const exported of page) {
      await breathe();
      todos.push(writeTodos(exported));
    }
    yield todos.join("");
  }
  yield contentLine("END", "VCALENDAR");
}
