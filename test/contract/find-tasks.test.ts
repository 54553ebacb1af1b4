import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { encodeCursor } from "../../shared/http/cursor.ts";
import type { StoredTask } from "../../shared/tasks/task-table.ts";
import * as fc from "../support/fast-check.ts";
import { ada, ben, openWorld, type Answered, type World } from "./task-service-world.ts";

// A Monday evening in Berlin, where it is Tuesday when this begins again in UTC.
const now = new Date("2026-11-30T22:30:00.000Z");
const berlin = "Europe/Berlin";
const hourMs = 3_600_000;
const dayMs = 24 * hourMs;

type StoredRow = Pick<
  StoredTask,
  "id" | "title" | "description" | "due_date" | "due_on" | "priority" | "status" | "is_recurring_template"
> &
  Readonly<{
    tags: readonly string[];
    created_at: Date;
    updated_at: Date;
    completed_at: Date | null;
    isThere: boolean;
  }>;

let world: World;
beforeAll(async () => {
  world = await openWorld(undefined, () => now);
  const settings = JSON.stringify({ tz: berlin });
  await world.db.sql`insert into preferences (user_id, settings) values (${ada}, ${settings}::text::jsonb)`;
}, 60_000);
afterAll(() => world?.[Symbol.asyncDispose]());

const find = (query: string, as = ada) => world.send("GET", `/v1/tasks${query === "" ? "" : `?${query}`}`, { as });
const filtered = (filter: string, more = "") => find(`filter=${encodeURIComponent(filter)}${more}`);
const titles = ({ body }: Answered) => body.items.map(({ title }) => title);
const mistakes = ({ body }: Answered) => body["errors"] as readonly { path: string; message: string }[];

async function store(rows: readonly Partial<StoredRow>[], userId = ada): Promise<readonly StoredRow[]> {
  const whole = rows.map((row, index): StoredRow => {
    const created_at = row.created_at ?? new Date(now.getTime() - index * 1000);
    return {
      id: Bun.randomUUIDv7(),
      title: `task ${index}`,
      description: null,
      due_date: null,
      due_on: null,
      priority: null,
      tags: [],
      status: "open",
      is_recurring_template: false,
      updated_at: created_at,
      completed_at: row.status === "completed" ? now : null,
      isThere: true,
      ...row,
      created_at,
    };
  });
  for (const { isThere, ...row } of whole)
    await world.db.sql`insert into tasks ${world.db.sql({
      ...row,
      tags: [...row.tags],
      user_id: userId,
      deleted_at: isThere ? null : now,
      recurrence_pattern: row.is_recurring_template ? "{}" : null,
    })}`;
  return whole;
}
const clear = () => world.db.sql`truncate tasks`;

describe("words", () => {
  beforeAll(async () => {
    await clear();
    await store([
      { title: "Water the “Plants”, follow-up", tags: ["Garden", "two words"] },
      { title: "ПРИВЕТ Ärger", description: "mail foo@example.com about http://example.com/a" },
      { title: "it's 3.5 km", tags: ["it's\\x"] },
      { title: "gone plants", isThere: false },
    ]);
    await store([{ title: "plants of another", tags: ["Garden"] }], ben);
  });

  test.each([
    ["plants", ["Water the “Plants”, follow-up"]],
    ["PLAN wat", ["Water the “Plants”, follow-up"]],
    ["lants", []],
    ["follow-up", ["Water the “Plants”, follow-up"]],
    ["gard", ["Water the “Plants”, follow-up"]],
    ["привет", ["ПРИВЕТ Ärger"]],
    ["arg", ["ПРИВЕТ Ärger"]],
    ["Ärg", ["ПРИВЕТ Ärger"]],
    ["example.com", ["ПРИВЕТ Ärger"]],
    ["foo@example", ["ПРИВЕТ Ärger"]],
    ["3.5", ["it's 3.5 km"]],
    ["it's", ["it's 3.5 km"]],
    ["plants & !water | :* <-> '", ["Water the “Plants”, follow-up"]],
  ])("%s", async (q, found) => {
    const answer = await find(`q=${encodeURIComponent(q)}`);
    expect([answer.status, titles(answer)]).toEqual([200, found]);
  });

  test("a text without words is refused", async () => {
    expect(mistakes(await find(`q=${encodeURIComponent(" '-* ")}`))).toEqual([
      { path: "query.q", message: "has no word to search for" },
    ]);
  });

  test("a tag is found as it is written, in a filter in any case", async () => {
    expect(titles(await find("tag=Garden"))).toEqual(["Water the “Plants”, follow-up"]);
    expect(titles(await find("tag=garden"))).toEqual([]);
    expect(titles(await find("tag=Garden&tag=two%20words"))).toEqual(["Water the “Plants”, follow-up"]);
    expect(titles(await find("tag=Garden&tag=home"))).toEqual([]);
    expect(titles(await find(`tag=${encodeURIComponent("it's\\x")}`))).toEqual(["it's 3.5 km"]);
    expect(titles(await filtered('#garden & #"Two Words"'))).toEqual(["Water the “Plants”, follow-up"]);
    expect(titles(await filtered('"plants" | #it\'s\\x'))).toEqual(["Water the “Plants”, follow-up", "it's 3.5 km"]);
  });
});

test("a tag of the longest letters is stored, and found", async () => {
  await clear();
  const tag = "ﷺ".repeat(64);
  await store([{ title: "long", tags: [tag, "e\u0301".normalize("NFC")] }]);
  expect(titles(await find(`tag=${encodeURIComponent(tag)}`))).toEqual(["long"]);
  expect(titles(await find(`tag=${encodeURIComponent("e\u0301")}`))).toEqual(["long"]);
  expect((await filtered(`#${"字".repeat(700)}`)).status).toBe(422);
});

test("a cursor that was made up finds nothing, and is no failure", async () => {
  await clear();
  await store([{}, {}, {}]);
  const { next_cursor } = (await find("sort=priority&limit=2")).body;
  const [list] = JSON.parse(atob((next_cursor ?? "").replaceAll("-", "+").replaceAll("_", "/"))) as [string];
  const forged = encodeCursor(list, [1e12, Bun.randomUUIDv7()]);
  expect((await find(`sort=priority&cursor=${forged}`)).status).toBe(200);
  expect((await world.send("GET", `/v1/tags?cursor=${encodeCursor("tags", ["\0"])}`)).status).toBe(422);
});

describe("days and due dates", () => {
  beforeAll(async () => {
    await clear();
    await store([
      { title: "past", due_date: new Date("2026-11-30T22:29:59.999Z") },
      { title: "past, done", due_date: new Date("2026-11-30T10:00:00Z"), status: "completed" },
      { title: "soon", due_date: new Date("2026-11-30T22:59:59.999Z") },
      { title: "all of Monday", due_on: "2026-11-30" },
      { title: "midnight", due_date: new Date("2026-11-30T23:00:00.000Z") },
      { title: "all of Tuesday", due_on: "2026-12-01" },
      { title: "all of Sunday", due_on: "2026-11-29" },
      { title: "some day" },
    ]);
  });

  test.each([
    ["due_before=2026-12-01", ["past", "past, done", "soon", "all of Monday", "all of Sunday"]],
    ["due_after=2026-12-01", ["midnight", "all of Tuesday"]],
    ["due_after=2026-11-30&due_before=2026-12-01", ["past", "past, done", "soon", "all of Monday"]],
    // All of Monday is due when Monday ends, at 23:00 UTC.
    ["due_before=2026-11-30T23:00:00Z", ["past", "past, done", "soon", "all of Monday", "all of Sunday"]],
    ["due_before=2026-11-30T22:59:59Z", ["past", "past, done", "all of Sunday"]],
    ["due_after=2026-11-30T22:59:59Z", ["soon", "all of Monday", "midnight", "all of Tuesday"]],
    ["filter=overdue", ["past", "all of Sunday"]],
    ["filter=today", ["past", "soon", "all of Monday"]],
    ["filter=today&status=all", ["past", "past, done", "soon", "all of Monday"]],
    ["filter=tomorrow", ["midnight", "all of Tuesday"]],
    ["filter=no%20date", ["some day"]],
    ["filter=!overdue", ["soon", "all of Monday", "midnight", "all of Tuesday", "some day"]],
    ["filter=completed", ["past, done"]],
    ["filter=all%20day", ["all of Monday", "all of Tuesday", "all of Sunday"]],
    [
      "sort=due",
      ["all of Sunday", "past, done", "past", "soon", "all of Monday", "midnight", "all of Tuesday", "some day"],
    ],
    [
      "sort=-due",
      ["all of Tuesday", "midnight", "all of Monday", "soon", "past", "past, done", "all of Sunday", "some day"],
    ],
  ])("%s", async (query, found) => {
    const answer = await find(query);
    const listed = titles(answer);
    // The end of all of Monday is midnight: of equal ones the ids decide.
    const told = query.includes("sort") ? listed : listed.toSorted((a, b) => found.indexOf(a) - found.indexOf(b));
    expect([answer.status, told]).toEqual([200, found]);
  });

  test.each([
    ["due_after=2026-12-02&due_before=2026-12-02", "query.due_before", "is not after due_after"],
    [
      "completed_after=2026-12-02&completed_before=2026-12-01T00:00:00Z",
      "query.completed_before",
      "is not after completed_after",
    ],
    ["due_before=2026-02-30", "query.due_before", "is not a day of the calendar, such as 2026-12-31"],
    ["due_before=yesterday", "query.due_before", "and no day such as 2026-12-31"],
    ["updated_since=2026-11-30T10:00:00", "query.updated_since", "is not an RFC 3339 time with an offset"],
    ["sort=title", "query.sort", ""],
    ["priority=Urgent", "query.priority.0", ""],
    ["ids=x", "query.ids.0", "is not a UUID"],
    [
      `ids=${Array.from({ length: 201 }, () => Bun.randomUUIDv7()).join(",")}`,
      "query.ids",
      "is given more than 200 times",
    ],
    ["template_id=x", "query.template_id", "is not a UUID"],
    ["status=open&status=all", "query.status", "is given more than once"],
    ["filter=today%20p1", "query.filter", 'has "p1" where & or | should come (character 7)'],
    ["due=2026-12-01", "query.due", "is not a field here"],
    ["q=%00", "query.q", "has a NUL character"],
  ])("%s is refused", async (query, path, message) => {
    const answer = await find(query);
    expect([answer.status, mistakes(answer)[0]?.path]).toEqual([422, path]);
    expect(mistakes(answer)[0]?.message).toContain(message);
  });
});

test("a list brings the reminders of its tasks, and of nobody else's", async () => {
  await clear();
  await world.db.sql`truncate reminders`;
  const [mine, other] = await store([{ title: "reminded" }, { title: "not reminded" }]);
  const [bens] = await store([{ title: "ben's" }], ben);
  const at = "2026-12-01T09:00:00.000Z";
  const remind = (taskId: string | undefined, userId: string, more: Record<string, string> = {}) =>
    world.db.sql`insert into reminders ${world.db.sql({
      id: Bun.randomUUIDv7(),
      task_id: taskId ?? "",
      user_id: userId,
      remind_at: at,
      generation: 1,
      status: "pending",
      version: 1,
      ...more,
    })}`;
  await remind(mine?.id, ada, { rule: "PT1H" });
  await remind(mine?.id, ada, { status: "dismissed", reason: "removed", dismissed_at: at });
  await remind(mine?.id, ben);
  await remind(bens?.id, ben);
  const { items } = (await find("expand=reminders")).body;
  expect(items.map(({ id, reminders }) => [id, reminders])).toEqual([
    [mine?.id, [expect.objectContaining({ task_id: mine?.id, rule: "PT1H", remind_at: at, status: "pending" })]],
    [other?.id, []],
  ]);
  expect((await find("")).body.items[0]).not.toHaveProperty("reminders");
  expect(mistakes(await find("expand=series"))[0]?.path).toBe("query.expand");
});

test("tags are listed with their counts, page by page", async () => {
  await clear();
  await store([
    { tags: ["home", "Zoo", "ähre"] },
    { tags: ["home"], status: "completed" },
    { tags: ["home", "it's"], isThere: false },
    { tags: ["home", "weekly"], is_recurring_template: true },
  ]);
  await store([{ tags: ["ben's"] }], ben);
  const list = async (query: string) => (await world.send("GET", `/v1/tags${query}`)).body;
  const all = [
    { tag: "Zoo", open: 1, completed: 0 },
    { tag: "home", open: 1, completed: 1 },
    { tag: "ähre", open: 1, completed: 0 },
  ];
  expect(await list("")).toMatchObject({ items: all, next_cursor: null });
  const first = await list("?limit=2");
  expect(first.items).toMatchObject(all.slice(0, 2));
  expect(await list(`?limit=2&cursor=${first.next_cursor}`)).toMatchObject({ items: all.slice(2), next_cursor: null });
  expect((await world.send("GET", `/v1/tags?cursor=x`)).status).toBe(422);
  expect((await world.send("GET", `/v1/tags`, { as: ben })).body.items).toMatchObject([{ tag: "ben's" }]);
});

test("a page belongs to what it was asked for with", async () => {
  await clear();
  await store([{ tags: ["a"] }, { tags: ["a"] }, { tags: ["a"] }]);
  const first = await find("tag=a&sort=priority&limit=2&count=true");
  expect(first.body).toMatchObject({ count: 3, items: [{}, {}] });
  const cursor = first.body.next_cursor ?? "";
  expect((await find(`tag=a&sort=priority&limit=1&cursor=${cursor}`)).body.items).toHaveLength(1);
  for (const other of [
    "tag=b&sort=priority",
    "tag=a&sort=-priority",
    "sort=priority",
    "",
    "tag=a&sort=priority&status=open",
  ])
    expect(mistakes(await find(`${other}&cursor=${cursor}`))[0]?.path).toBe("query.cursor");
});

test("a user who never chose a zone has UTC's days, and nobody sees another's tasks", async () => {
  await clear();
  await store([{ title: "ada's", due_date: new Date("2026-11-30T23:10:00Z"), tags: ["x"] }]);
  const [bens] = await store([{ title: "ben's", due_date: new Date("2026-11-30T23:10:00Z"), tags: ["x"] }], ben);
  for (const query of ["filter=today", "q=ben", "tag=x", `ids=${bens?.id}`, "count=true", "sort=due", "filter=!p1"]) {
    const answer = await find(query, ben);
    expect(titles(answer)).toEqual(["ben's"]);
    expect(answer.body.count ?? 1).toBe(1);
  }
  expect(titles(await find("filter=today"))).toEqual([]);
  expect(titles(await find(`ids=${bens?.id}`))).toEqual([]);
  expect(titles(await find("q=ben"))).toEqual([]);
});

describe("any filter in any order", () => {
  const berlinOffset = hourMs; // in winter, all through these rows
  const local = (at: Date) => new Date(at.getTime() + berlinOffset).toISOString().slice(0, 10);
  const dueDay = ({ due_date, due_on }: StoredRow) => due_on ?? (due_date === null ? null : local(due_date));
  const isOn = (day: string | null, from: string, to: string) => day !== null && day >= from && day < to;
  /** Each term with what it says of a row, told by other means than the product's. */
  const terms: readonly (readonly [text: string, holds: (row: StoredRow) => boolean])[] = [
    ["today", (row) => dueDay(row) === "2026-11-30"],
    ["this week", (row) => isOn(dueDay(row), "2026-11-30", "2026-12-07")],
    ["due before 2026-11-29", (row) => isOn(dueDay(row), "1970-01-01", "2026-11-29")],
    ["next 3 days", (row) => isOn(dueDay(row), "2026-11-30", "2026-12-03")],
    ["no date", (row) => dueDay(row) === null],
    [
      "overdue",
      (row) =>
        row.status === "open" &&
        ((row.due_date !== null && row.due_date < now) || isOn(row.due_on, "1970", "2026-11-30")),
    ],
    ["p1", ({ priority }) => priority === "High"],
    ["p4", ({ priority }) => priority === null],
    ["#Home", ({ tags }) => tags.some((tag) => tag.toLowerCase() === "home")],
    ["no tags", ({ tags }) => tags.length === 0],
    ["completed", ({ status }) => status === "completed"],
    ["completed yesterday", ({ completed_at: at }) => at !== null && local(at) === "2026-11-29"],
    ["created today", ({ created_at }) => local(created_at) === "2026-11-30"],
    ['"fern"', ({ title, tags }) => /\bfern/i.test(`${title} ${tags.join(" ")}`)],
  ];
  type Wanted = Readonly<{ text: string; holds: (row: StoredRow) => boolean }>;
  const { filter } = fc.letrec<{ filter: Wanted }>((tie) => ({
    filter: fc.oneof(
      { depthSize: "small", withCrossShrink: true },
      fc.constantFrom(...terms).map(([text, holds]) => ({ text, holds })),
      tie("filter").map(({ text, holds }) => ({ text: `!(${text})`, holds: (row: StoredRow) => !holds(row) })),
      fc.tuple(tie("filter"), tie("filter")).map(([a, b]) => ({
        text: `(${a.text}) & (${b.text})`,
        holds: (row: StoredRow) => a.holds(row) && b.holds(row),
      })),
      fc.tuple(tie("filter"), tie("filter")).map(([a, b]) => ({
        text: `${a.text} | ${b.text}`,
        holds: (row: StoredRow) => a.holds(row) || b.holds(row),
      })),
    ),
  }));
  const at = (from: number, to: number) =>
    fc.integer({ min: from, max: to }).map((hours) => new Date(now.getTime() + hours * hourMs));
  const row: fc.Arbitrary<Partial<StoredRow>> = fc
    .record({
      title: fc.constantFrom("Fern", "ferns and moss", "Milk"),
      due: fc.option(
        fc.oneof(at(-100, 100), fc.constantFrom("2026-11-28", "2026-11-29", "2026-11-30", "2026-12-01", "2026-12-07")),
      ),
      priority: fc.constantFrom("High" as const, "Medium" as const, "Low" as const, null),
      tags: fc.uniqueArray(fc.constantFrom("home", "Home", "fern", "x"), { maxLength: 3 }),
      created_at: at(-60, 0),
      completed_at: fc.option(at(-60, 0)),
      isThere: fc.integer({ min: 0, max: 9 }).map((number) => number > 0),
      is_recurring_template: fc.integer({ min: 0, max: 9 }).map((number) => number === 0),
    })
    .map(({ due, ...rest }) => ({
      ...rest,
      updated_at: rest.completed_at ?? rest.created_at,
      due_date: due instanceof Date ? due : null,
      due_on: typeof due === "string" ? due : null,
      status: rest.completed_at === null ? "open" : "completed",
    }));
  const ranks = { High: 1, Medium: 2, Low: 3 };
  const keyOf: Readonly<Record<string, (row: StoredRow) => number | null>> = {
    due: ({ due_date, due_on }) =>
      due_date?.getTime() ?? (due_on === null ? null : Date.parse(due_on) + dayMs - berlinOffset),
    created: ({ created_at }) => created_at.getTime(),
    updated: ({ updated_at }) => updated_at.getTime(),
    completed: ({ completed_at }) => completed_at?.getTime() ?? null,
    priority: ({ priority }) => (priority === null ? null : ranks[priority]),
  };
  const compare = (sort: string) => (a: StoredRow, b: StoredRow) => {
    const key = keyOf[sort.replace("-", "")] ?? (() => null);
    const way = sort.startsWith("-") ? -1 : 1;
    const [x, y] = [key(a), key(b)];
    if (x === y) return way * (a.id < b.id ? -1 : 1);
    if (x === null || y === null) return x === null ? 1 : -1;
    return way * (x - y);
  };

  test("gives, page by page, what the rows say", async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(row, { minLength: 20, maxLength: 40 }),
        fc.array(
          fc.record({
            filter,
            sort: fc.constantFrom(...Object.keys(keyOf).flatMap((key) => [key, `-${key}`])),
            limit: fc.integer({ min: 1, max: 9 }),
          }),
          { minLength: 10, maxLength: 10 },
        ),
        async (given, asked) => {
          await clear();
          const rows = await store(given);
          for (const { filter: wanted, sort, limit } of asked) {
            const expected = rows
              .filter((each) => each.isThere && !each.is_recurring_template && wanted.holds(each))
              .toSorted(compare(sort))
              .map(({ id }) => id);
            const found: string[] = [];
            for (let cursor: string | null = ""; cursor !== null;) {
              const more = `&status=all&sort=${sort}&limit=${limit}&count=true${cursor === "" ? "" : `&cursor=${cursor}`}`;
              const { status, body } = await filtered(wanted.text, more);
              expect([status, body.count]).toEqual([200, expected.length]);
              found.push(...body.items.map(({ id }) => id));
              cursor = body.next_cursor;
            }
            expect([wanted.text, sort, found]).toEqual([wanted.text, sort, expected]);
          }
        },
      ),
      { numRuns: 12 },
    );
  }, 120_000);
});
