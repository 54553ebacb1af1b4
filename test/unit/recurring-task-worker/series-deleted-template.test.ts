import { expect, test } from "bun:test";
import { completed, created, daily, deleted, hear, occurrence, template, tue, wed } from "./series-world.ts";

test("an occurrence heard of after its template was deleted belongs to the series all the same, which asks for nothing more", () => {
  const made = created(1, "11-23T11:00", null, { template_id: template, recurrence_id: wed }, occurrence(wed));
  const heard = hear().events(created(1, "11-23T10:00", daily), deleted(2, "11-23T12:00"), made);
  const stateOf = (id: string) => heard.series().occurrences.find(({ recurrenceId }) => recurrenceId === id)?.state;
  expect([stateOf(wed), heard.series().status, heard.asked()]).toEqual(["open", "stopped", [tue]]);
  heard.events(completed(2, "11-24T08:00", occurrence(wed)));
  expect([stateOf(wed), heard.series().status, heard.asked()]).toEqual(["completed", "stopped", [tue]]);
});
