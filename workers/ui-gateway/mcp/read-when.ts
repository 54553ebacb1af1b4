import { zoneClock } from "../../../shared/recurrence/zone-clock.ts";
import { readingAnswer, type ReadingAnswer } from "./answers.ts";
import { Refusal, type CallApi } from "./call-api.ts";

/** Reads when something is to be, in words of a person. Rejects with `Refusal` where not all of it is understood. */
export async function readWhen(call: CallApi, when: string): Promise<ReadingAnswer> {
  const body = { text: `"x" ${when.replaceAll('"', " ")}`, dry_run: true };
  const reading = readingAnswer.parse(await call({ method: "POST", path: "/v1/quick-add", body }));
  const rest = reading.task.title.replace(/^x ?/, "").replace(/ ?x$/, "");
  if (rest !== "")
    throw new Refusal(
      `${JSON.stringify(rest)} was not understood as a time. Say it as "tomorrow 17:00", "next friday", "2027-05-31 at 9:00", "in 20 minutes", "every other saturday at 10" or "30 minutes before".`,
    );
  return reading;
}

/** Whether a text is an RFC 3339 instant in UTC, as answers give it. */
export function isInstant(text: string): boolean {
  return /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?Z$/.test(text);
}

/** The instant of a local time `2026-12-01T17:00`; an instant itself is it already. */
export function instantOfLocal(local: string, zone: string): string {
  if (local.endsWith("Z")) return local;
  return new Date(zoneClock(zone).instantPast(Date.parse(`${local}Z`))).toISOString();
}
