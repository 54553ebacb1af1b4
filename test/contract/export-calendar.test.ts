import { afterAll, beforeAll, expect, test } from "bun:test";
import { join } from "node:path";
import { deriveId } from "../../shared/messages/derive-id.ts";
import { findPython, lacks, runPython } from "../support/python.ts";
import { ada, ben, openWorld, type Task, type World } from "./task-service-world.ts";

const python = await findPython();

type Todo = Readonly<Record<string, unknown>> & Readonly<{ UID: string }>;
type Read = Readonly<{ version: string; errors: unknown[]; zones: string[]; todos: Todo[] }>;

let world: World;
beforeAll(async () => {
  world = await openWorld();
});
afterAll(() => world[Symbol.asyncDispose]());

test.skipIf(lacks(python))(
  `an export is read back by another implementation as it was written${python.why}`,
  async () => {
    const title = `Fern, "tall"; 🌱 ${"漢".repeat(40)} \\ end`;
    const description = "first line\nsecond; line, with: everything";
    const plain = await make({
      title,
      description,
      due_date: "2026-07-01T18:00:00+02:00",
      due_tz: "Europe/Berlin",
      priority: "High",
      tags: ["home, garden", "a;b"],
      remind: ["PT15M", "P1D@18:00", "PT24H"],
    });
    const day = await make({ title: "all day", due_on: "2026-12-31", remind: ["PT0S", "P1D"] });
    const bare = await make({ title: "bare", remind: [] });
    await world.send("POST", `/v1/tasks/${bare.id}/complete`);
    const undue = await make({ title: "not due" });
    await reminder(plain, { at: "2029-12-24T08:00:00Z" });
    // Where a rule rings anyway.
    await reminder(plain, { at: "2026-07-01T15:45:00Z" });
    await reminder(plain, { at: "2029-12-26T08:00:00Z", rule: "PT15M", snoozedFrom: "2029-12-25T08:00:00Z" });
    await reminder(plain, { at: "2029-12-23T08:00:00Z", rule: "P1D" });
    await reminder(plain, { at: "2029-12-22T08:00:00Z", status: "dismissed" });
    await reminder(plain, { at: "2029-12-21T08:00:00Z", user: ben });
    await reminder(undue, { at: "2029-12-31T23:00:00.5Z" });
    await reminder(bare, { at: "2029-12-31T23:00:00Z" });
    const gone = await make({ title: "gone" });
    await world.send("DELETE", `/v1/tasks/${gone.id}`);
    await make({ title: "of another user" }, ben);
    const template = await make({
      title: "report",
      remind: ["PT1H"],
      recurrence_pattern: {
        rrule: "FREQ=MONTHLY;BYMONTHDAY=31;UNTIL=20271231",
        tz: "America/New_York",
        start: "2026-01-31T09:00",
        month_end: "clamp",
        exdate: ["2026-03-31T09:00"],
      },
    });
    const days = await make({
      title: "days",
      remind: [],
      recurrence_pattern: {
        rrule: "FREQ=MONTHLY;BYMONTHDAY=30,31",
        tz: "UTC",
        start: "2026-01-30",
        month_end: "clamp",
      },
    });
    const after = await make({
      title: "after completion",
      recurrence_pattern: {
        rrule: "FREQ=DAILY;INTERVAL=3",
        tz: "UTC",
        start: "2026-01-30T09:00",
        anchor: "completion",
      },
    });
    const first = await occurrence(template, "2026-01-31T09:00:00", "2026-01-31T14:00:00Z", "America/New_York");
    const third = await occurrence(after, "2026-01-30T09:00:00#2", "2026-01-30T09:00:00Z", "UTC");
    await exception(template, "2026-02-28T09:00:00", "skipped", null);
    await exception(template, "2026-04-30T09:00:00", "moved", "2026-05-02T10:00:00Z");

    const { zones, todos, version, errors } = await readBack();
    expect({ version, errors, zones }).toEqual({
      version: "2.0",
      errors: [],
      zones: ["America/New_York", "Europe/Berlin"],
    });
    const of = (id: string) => todos.filter(({ UID }) => UID === id);
    const open = { STATUS: "NEEDS-ACTION", SEQUENCE: "0" };

    expect(of(plain.id)).toEqual([
      {
        ...open,
        UID: plain.id,
        SUMMARY: title,
        DESCRIPTION: description,
        DUE: "2026-07-01T16:00:00+00:00",
        PRIORITY: "1",
        CATEGORIES: ["home, garden", "a;b"],
        alarms: [
          ["END", -900],
          ["END", -86_400],
          ["AT", "2029-12-24T08:00:00+00:00"],
          ["AT", "2029-12-26T08:00:00+00:00"],
        ],
      },
    ]);
    expect(of(undue.id)).toMatchObject([{ alarms: [["AT", "2029-12-31T23:00:00+00:00"]] }]);
    // A whole day counts as due at nine, as the preferences say where nobody set any: alarms are from its midnight.
    expect(of(day.id)).toEqual([
      {
        ...open,
        UID: day.id,
        SUMMARY: "all day",
        DUE: "2026-12-31",
        alarms: [
          ["END", 9 * 3600],
          ["END", -15 * 3600],
        ],
      },
    ]);
    expect(of(bare.id)).toMatchObject([{ STATUS: "COMPLETED", "PERCENT-COMPLETE": "100", alarms: [] }]);
    expect(of(bare.id)[0]?.["COMPLETED"]).toBeString();
    expect(of(gone.id)).toEqual([]);
    expect(todos.filter(({ SUMMARY }) => SUMMARY === "of another user")).toEqual([]);

    const [master, ...instances] = of(template.id).sort((a, b) => Number("DTSTART" in b) - Number("DTSTART" in a));
    expect(master).toMatchObject({
      SUMMARY: "report",
      DTSTART: "2026-01-31T14:00:00+00:00",
      // February is skipped, March left out; summer time keeps nine o'clock.
      starts: [
        "2026-01-31T14:00:00+00:00",
        "2026-04-30T13:00:00+00:00",
        "2026-05-31T13:00:00+00:00",
        "2026-06-30T13:00:00+00:00",
        "2026-07-31T13:00:00+00:00",
      ],
      alarms: [["START", -3600]],
    });
    expect(JSON.parse(String(master?.["X-TASKWIRE-PATTERN"]))).toEqual(template["recurrence_pattern"]);
    expect(instances.map((each) => [each["RECURRENCE-ID"], each["DUE"]]).sort()).toEqual([
      ["2026-01-31T14:00:00+00:00", "2026-01-31T14:00:00+00:00"],
      ["2026-04-30T13:00:00+00:00", "2026-05-02T10:00:00+00:00"],
    ]);
    expect(of(first)).toEqual([]);
    expect(of(days.id)).toMatchObject([
      { DTSTART: "2026-01-30", starts: ["2026-01-30", "2026-01-31", "2026-02-28", "2026-03-30", "2026-03-31"] },
    ]);
    expect(of(after.id)).toMatchObject([{ COMMENT: "3 days after completion at 09:00 (UTC)" }]);
    expect(of(after.id)[0]).not.toHaveProperty("DTSTART");
    expect(of(third)).toMatchObject([{ "RELATED-TO": after.id, DUE: "2026-01-30T09:00:00+00:00" }]);
  },
  60_000,
);

test("a deleted occurrence is an exception, and those of a deleted template are plain tasks", async () => {
  const user = crypto.randomUUID();
  const pattern = { rrule: "FREQ=DAILY", tz: "UTC", start: "2026-01-01" };
  const live = await make({ title: "live", recurrence_pattern: pattern }, user);
  const dead = await make({ title: "dead", recurrence_pattern: pattern }, user);
  const skipped = await occurrence(live, "2026-01-01", "2026-01-01T00:00:00Z", "UTC", user);
  const left = await occurrence(dead, "2026-01-01", "2026-01-01T00:00:00Z", "UTC", user);
  await world.send("DELETE", `/v1/tasks/${skipped}`, { as: user });
  await world.send("DELETE", `/v1/tasks/${dead.id}`, { as: user });
  const text = await exported(user);
  expect(text).toContain("EXDATE;VALUE=DATE:20260101\r\n");
  expect(text).toContain(`UID:${left}\r\n`);
  expect(text).not.toMatch(/RECURRENCE-ID|RELATED-TO/);
});

test("more tasks than a page holds are all there, each once", async () => {
  const user = crypto.randomUUID();
  await world.db.sql`
    insert into tasks (id, user_id, title, created_at, updated_at)
    select gen_random_uuid(), ${user}, 'task ' || n, to_timestamp(1770000000 + n / 3), now() from generate_series(1, 1203) as n`;
  const titles = [...(await exported(user)).matchAll(/^SUMMARY:(.*)\r$/gm)].map(([, title]) => title);
  expect(titles).toHaveLength(1203);
  expect(new Set(titles).size).toBe(1203);
});

test("a user without tasks gets a calendar without entries", async () => {
  expect(await exported(crypto.randomUUID())).toBe(
    "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:-//Taskwire//Tasks//EN\r\nCALSCALE:GREGORIAN\r\nEND:VCALENDAR\r\n",
  );
});

async function make(body: Readonly<Record<string, unknown>>, as = ada): Promise<Task> {
  const { status, body: task } = await world.send("POST", "/v1/tasks", { body, as });
  expect(status).toBe(201);
  return task;
}

test("a deleted occurrence is told as left out, one taken back with its completion is not", async () => {
  const template = await make({
    title: "undone",
    recurrence_pattern: { rrule: "FREQ=DAILY", tz: "UTC", start: "2099-05-01T09:00" },
  });
  await exception(template, "2099-05-02T09:00:00", "skipped", null);
  for (const [day, takenBack] of [
    ["03", false],
    ["04", true],
  ] as const) {
    const id = `2099-05-${day}T09:00:00`;
    const task = await occurrence(template, id, `${id}Z`, "UTC");
    await world.send("DELETE", `/v1/tasks/${task}`);
    await world.db.sql`
      insert into occurrences (id, series_id, number, recurrence_id, schedule_key, starts_at, due_passes_at, state, taken_back)
      values (${task}, ${template.id}, ${Number(day)}, ${id}, ${template.id}, ${`${id}Z`}, ${`${id}Z`}, 'deleted', ${takenBack})`;
  }
  const left = [...(await exported()).matchAll(/^EXDATE[^:]*:(.*)$/gm)].flatMap(([, all = ""]) =>
    all.trim().split(","),
  );
  expect(left.filter((at) => at.startsWith("209905"))).toEqual(["20990502T090000Z", "20990503T090000Z"]);
});

test("one made again after its date was taken back stands for that date, as does its deletion", async () => {
  const user = crypto.randomUUID();
  const recurrence_pattern = { rrule: "FREQ=DAILY", tz: "UTC", start: "2099-06-01T09:00" };
  const template = await make({ title: "again", recurrence_pattern }, user);
  const place = (day: number) => `2099-06-0${day}T09:00:00`;
  for (const day of [2, 3, 4]) {
    const first = await occurrence(template, place(day), `${place(day)}Z`, "UTC", user);
    await world.send("DELETE", `/v1/tasks/${first}`, { as: user });
    await world.db.sql`
      insert into series (id, template_id, user_id, status) values (${template.id}, ${template.id}, ${user}, 'waiting')
      on conflict do nothing`;
    await world.db.sql`
      insert into occurrences (id, series_id, number, recurrence_id, schedule_key, starts_at, due_passes_at, state, taken_back)
      values (${first}, ${template.id}, ${day}, ${place(day)}, ${template.id}, now(), now(), 'deleted', true)`;
  }
  await exception(template, place(4), "moved", "2099-06-04T12:00:00Z");
  const [, third] = await Promise.all(
    [2, 3, 4].map((day) => occurrence(template, `${place(day)}#2`, `${place(day)}Z`, "UTC", user)),
  );
  await world.send("DELETE", `/v1/tasks/${third}`, { as: user });
  const text = await exported(user);
  expect([...text.matchAll(/^RECURRENCE-ID:(.*)\r$/gm)].map(([, at]) => at).sort()).toEqual([
    "20990602T090000Z",
    "20990604T090000Z",
  ]);
  expect([...text.matchAll(/^EXDATE:(.*)\r$/gm)].map(([, at]) => at)).toEqual(["20990603T090000Z"]);
  expect(text).not.toContain("RELATED-TO");
});

test("after the time of a series changed, what was made before stands for the new time of its day", async () => {
  const user = crypto.randomUUID();
  const pattern = (at: string) => ({ rrule: "FREQ=DAILY", tz: "UTC", start: `2099-07-01${at}` });
  const template = await make({ title: "moved", recurrence_pattern: pattern("T09:00") }, user);
  const [, gone] = await Promise.all(
    ["01", "02"].map((day) => occurrence(template, `2099-07-${day}T09:00:00`, `2099-07-${day}T09:00Z`, "UTC", user)),
  );
  await world.send("DELETE", `/v1/tasks/${gone}`, { as: user });
  for (const [start, id, left, due] of [
    ["T18:00", ":20990701T180000Z", ":20990702T180000Z", "DUE:20990701T180000Z"],
    ["", ";VALUE=DATE:20990701", ";VALUE=DATE:20990702", "DUE;VALUE=DATE:20990701"],
  ] as const) {
    const body = { recurrence_pattern: pattern(start) };
    expect((await world.send("PATCH", `/v1/tasks/${template.id}`, { body, as: user })).status).toBe(200);
    const lines = (await exported(user)).split("\r\n");
    expect(lines).toEqual(expect.arrayContaining([`RECURRENCE-ID${id}`, `EXDATE${left}`, due]));
  }
});

test("of a template with very many exceptions the latest are told", async () => {
  const user = crypto.randomUUID();
  const recurrence_pattern = { rrule: "FREQ=DAILY", tz: "UTC", start: "2080-01-01" };
  const template = await make({ title: "seldom", recurrence_pattern }, user);
  await world.db.sql`
    insert into tasks (id, user_id, title, created_at, updated_at, deleted_at, template_id, recurrence_id)
    select gen_random_uuid(), ${user}, 'seldom', now(), now(), now(), ${template.id}, (date '2080-01-01' + n)::text
    from generate_series(0, 2001) as n`;
  const left = [...(await exported(user)).replaceAll("\r\n ", "").matchAll(/^EXDATE;VALUE=DATE:(.*)\r$/gm)].flatMap(
    ([, all = ""]) => all.split(","),
  );
  expect([left.length, left[0]]).toEqual([2000, "20800103"]);
});

async function exported(as = ada): Promise<string> {
  const answer = await world.request("/v1/export.ics", as);
  expect([answer.status, answer.headers.get("content-type")]).toEqual([200, "text/calendar; charset=utf-8"]);
  return answer.text();
}

async function readBack(): Promise<Read> {
  return JSON.parse(await runPython(python, [join(import.meta.dir, "calendar_read.py")], await exported())) as Read;
}

/** As the command of the recurring worker would make it. */
async function occurrence(template: Task, id: string, due: string, tz: string, user = ada): Promise<string> {
  const task = deriveId("occurrence", template.id, id);
  const [on, at] = id.length === 10 ? [id, null] : [null, due];
  await world.db.sql`
    insert into tasks (id, user_id, title, created_at, updated_at, due_date, due_on, due_tz, template_id, recurrence_id)
    values (${task}, ${user}, ${template.title}, now(), now(), ${at}, ${on}, ${tz}, ${template.id}, ${id})`;
  return task;
}

/** As the reminder service would keep it. */
async function reminder(
  task: Task,
  of: Readonly<{ at: string; rule?: string; snoozedFrom?: string; status?: string; user?: string }>,
): Promise<void> {
  const { at, rule = null, snoozedFrom = null, status = "pending", user = ada } = of;
  await world.db.sql`
    insert into reminders (id, task_id, user_id, rule, remind_at, generation, status, version, snoozed_from)
    values (gen_random_uuid(), ${task.id}, ${user}, ${rule}, ${at}, 1, ${status}, 1, ${snoozedFrom})`;
}

async function exception(template: Task, id: string, kind: string, due: string | null): Promise<void> {
  await world.db.sql`
    insert into series (id, template_id, user_id, status) values (${template.id}, ${template.id}, ${ada}, 'waiting')
    on conflict do nothing`;
  await world.db.sql`
    insert into series_exceptions (series_id, recurrence_id, kind, due_date, starts_at)
    values (${template.id}, ${id}, ${kind}, ${due}, now())`;
}
