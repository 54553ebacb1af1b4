import { deriveId } from "../../shared/messages/derive-id.ts";
import { makeLog } from "../../shared/role/log.ts";
import type { ReceivedMessage } from "../../shared/messages/message.ts";
import { makeHandleTaskCommands } from "../../workers/task-service/handle-task-commands.ts";
import { ada, type World } from "./task-service-world.ts";

/** Series in the task service as the recurring task worker would have them made. `world` is asked when it is needed. */
export function scopedSeries(world: () => World) {
  const ignored: string[] = [];
  const handler = makeHandleTaskCommands((why) => void ignored.push(why));

  const place = (day: number) => `2099-03-0${day}T09:00:00`;
  const pattern = { rrule: "FREQ=DAILY", tz: "UTC", start: place(2), max_open: 5 };
  /** The worker's asking, handled as the kernel would. */
  const ask = async (template: string, day: number): Promise<string> => {
    const occurrence_id = deriveId("occurrence", template, place(day));
    const data = {
      occurrence_id,
      template_id: template,
      user_id: ada,
      recurrence_id: place(day),
      due_date: new Date(`${place(day)}Z`),
      due_on: null,
      due_tz: "UTC",
      requested_at: new Date(),
      completed_at: null,
    };
    const message = { type: "CreateOccurrence", subject: occurrence_id, data } as unknown as ReceivedMessage; // what is looked at
    const context = { signal: new AbortController().signal, log: makeLog({}, "error"), now: new Date() };
    await world().db.transaction((tx) => handler(message, { ...context, tx }));
    return occurrence_id;
  };
  /** A template and its occurrences of the 2nd to the 5th, all open. */
  const makeSeries = async (over: object = {}) => {
    const body = { title: "water", tags: ["home"], recurrence_pattern: { ...pattern, ...over } };
    const { id } = (await world().send("POST", "/v1/tasks", { body })).body;
    const occurrences: string[] = [];
    for (const day of [2, 3, 4, 5]) occurrences.push(await ask(id, day));
    return { id, occurrences: occurrences as [string, string, string, string] };
  };
  const rows = async () => [
    ...(await world().db.sql<
      { id: string; title: string; day: string; series: string; due: Date; live: boolean; pattern: string | null }[]
    >`
      select id, title, substr(recurrence_id, 9, 2) as day, template_id as series, due_date as due, deleted_at is null as live,
        recurrence_pattern as pattern
      from tasks order by recurrence_id, created_at, id`),
  ];
  const live = async (series?: string) =>
    (await rows())
      .filter((row) => row.live && row.day !== null && (series === undefined || row.series === series))
      .map(({ day, title }) => `${day} ${title}`);
  const ruleOf = async (id: string) => {
    const [row] = (await rows()).filter((each) => each.id === id);
    return row?.live ? JSON.parse(row.pattern ?? "{}").rrule : "deleted";
  };
  const patch = (id: string, scope: string, body: object, more: { ifMatch?: string; key?: string; as?: string } = {}) =>
    world().send("PATCH", `/v1/tasks/${id}?scope=${scope}`, { body, ...more });

  return { ignored, place, pattern, ask, makeSeries, rows, live, ruleOf, patch };
}
