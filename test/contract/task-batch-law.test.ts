import { afterAll, beforeAll, expect, test } from "bun:test";
import * as fc from "../support/fast-check.ts";
import { openWorld, type World } from "./task-service-world.ts";

let world: World;
beforeAll(async () => {
  world = await openWorld();
}, 60_000);
afterAll(() => world?.[Symbol.asyncDispose]());

/** What a user has at first; the third is completed and the fourth deleted, and one of somebody else's comes after. */
const beginnings = [
  { title: "plain" },
  { title: "due", due_date: "2099-01-01T10:00:00Z", tags: ["a"] },
  { title: "done" },
  { title: "gone" },
  { title: "template", recurrence_pattern: { rrule: "FREQ=DAILY", start: "2099-01-01T09:00", tz: "UTC" } },
];

/** `on` is the place of a task among those a user has, in the order in which they were made. */
type Step =
  | Readonly<{ op: "create"; task: object }>
  | Readonly<{ op: "update"; on: number; patch: object; if_match?: number }>
  | Readonly<{ op: "complete" | "reopen" | "delete"; on: number; if_match?: number }>;

const fields = fc.record(
  {
    title: fc.constantFrom("a", "b", "plain"),
    tags: fc.subarray(["x", "y"]),
    remind: fc.constantFrom(["P1D"], [], null),
    recurrence_pattern: fc.constantFrom({ rrule: "FREQ=WEEKLY", start: "2099-02-01T09:00", tz: "UTC" }, null),
  },
  { requiredKeys: [] },
);
const due = fc.constantFrom(
  {},
  { due_on: "2099-02-01" },
  { due_date: "2099-03-01T08:00:00Z" },
  { due_date: "2000-03-01T08:00:00Z" },
  { due_date: "2099-03-01T08:00" },
);
const on = fc.nat(9);
const ifMatch = fc.record({ if_match: fc.integer({ min: 1, max: 3 }) }, { requiredKeys: [] });
const step: fc.Arbitrary<Step> = fc.oneof(
  fc.tuple(fields, due).map(([said, dueIn]): Step => ({ op: "create", task: { title: "new", ...said, ...dueIn } })),
  fc.tuple(on, fields, due, ifMatch).map(([target, said, dueIn, match]): Step => ({
    op: "update",
    on: target,
    patch: { ...said, ...dueIn },
    ...match,
  })),
  fc
    .tuple(fc.constantFrom("complete", "reopen", "delete"), on, ifMatch)
    .map(([op, target, match]): Step => ({ op, on: target, ...match })),
);

/** A user of their own with the tasks above, and the ids of these in order. */
async function settle(): Promise<Readonly<{ as: string; ids: string[] }>> {
  const as = crypto.randomUUID();
  const ids: string[] = [];
  for (const body of beginnings) ids.push((await world.send("POST", "/v1/tasks", { as, body })).body.id);
  await world.send("POST", `/v1/tasks/${ids[2]}/complete`, { as });
  await world.send("DELETE", `/v1/tasks/${ids[3]}`, { as });
  const theirs = { as: crypto.randomUUID(), body: { title: "theirs" } };
  ids.push((await world.send("POST", "/v1/tasks", theirs)).body.id);
  return { as, ids };
}

type Outcome = Readonly<{ status: number; body: Readonly<Record<string, unknown>> | null }>;
type Ended = Readonly<{ as: string; ids: readonly string[]; outcomes: readonly Outcome[] }>;

/** Sends each step as a request of its own; those that a batch leaves out are not `done`. */
async function sendSingles(steps: readonly Step[]): Promise<Ended & Readonly<{ done: readonly Step[] }>> {
  const { as, ids } = await settle();
  const done: Step[] = [];
  const outcomes: Outcome[] = [];
  const send = async (each: Step): Promise<Outcome> => {
    if (each.op === "create") return await world.send("POST", "/v1/tasks", { as, body: each.task });
    const path = `/v1/tasks/${ids[each.on % ids.length]}`;
    const match = each.if_match === undefined ? {} : { ifMatch: `"${each.if_match}"` };
    if (each.op === "update") return await world.send("PATCH", path, { as, body: each.patch, ...match });
    if (each.op === "delete") return await world.send("DELETE", path, { as, ...match });
    return await world.send("POST", `${path}/${each.op}`, { as, ...match });
  };
  for (const each of steps) {
    if (each.op === "update" && "recurrence_pattern" in each.patch) {
      const { body } = await world.send("GET", `/v1/tasks/${ids[each.on % ids.length]}`, { as });
      if (body["is_recurring_template"] === true) continue;
    }
    const outcome = await send(each);
    if (each.op === "create" && outcome.status !== 201) continue;
    done.push(each.op === "create" ? each : { ...each, on: each.on % ids.length });
    outcomes.push(outcome);
    if (each.op === "create") ids.push(String(outcome.body?.["id"]));
  }
  return { as, ids, outcomes, done };
}

async function sendBatch(steps: readonly Step[]): Promise<Ended> {
  const { as, ids } = await settle();
  const known = ids.length;
  let created = 0;
  const operations = steps.map((each) => {
    if (each.op === "create") return { ...each, temp_id: String(created++) };
    const { on: place, ...rest } = each;
    return { ...rest, id: place < known ? ids[place] : `$${place - known}` };
  });
  const { body } = await world.send("POST", "/v1/batch", { as, body: { operations } });
  type Body = Record<string, unknown>;
  // What a batch answers.
  const results = body["results"] as { status: number; id?: string; version?: number; task?: Body; problem?: Body }[];
  const outcomes = results.map(({ status, id, version, task, problem }) => {
    if (status === 201) ids.push(String(id));
    return { status, body: problem ?? task ?? (status === 204 ? {} : { id, version }) };
  });
  return { as, ids, outcomes };
}

/** What is the same whoever's it is and whenever it was: a task is told by its place, a time by being there. */
function plain(value: unknown, ids: readonly string[], key = ""): unknown {
  if (typeof value === "string") {
    if (/^(?:(?:created|updated|completed)_at|instance|user_id)$/.test(key)) return "there";
    const text = ids.reduce((text, id, place) => text.replaceAll(id, `task ${place}`), value);
    return text
      .replace(/\b[0-9a-f]{8}-[0-9a-f]{4}-5[0-9a-f-]{21}\b/g, "computed")
      .replace(/\/operations\/\d+\/(?:task|patch)/g, "");
  }
  if (Array.isArray(value)) return value.map((each) => plain(each, ids));
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([name, each]) => [name, plain(each, ids, name)]));
}

function isWhole(body: Outcome["body"]): boolean {
  return body !== null && ("updated_at" in body || ("code" in body && body["status"] !== 412));
}

async function allOf({ as, ids }: Ended): Promise<unknown> {
  const { items } = (await world.send("GET", "/v1/tasks?templates=true&limit=200", { as })).body;
  const events = (await world.events()).filter(({ data }) => data["user_id"] === as);
  const told = events.map(({ type, subject, sequence }) => `${type} ${ids.indexOf(subject)} ${sequence}`);
  return { tasks: plain(items, ids), told: told.toSorted() };
}

test("a batch ends as the same operations sent one by one, and answers each as they are answered", async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(step, { minLength: 1, maxLength: 14 }), async (steps) => {
      const singles = await sendSingles(steps);
      if (singles.done.length === 0) return;
      const batch = await sendBatch(singles.done);
      expect(await allOf(batch)).toEqual(await allOf(singles));
      for (const [at, { status, body }] of batch.outcomes.entries()) {
        const single = singles.outcomes[at];
        expect([at, status]).toEqual([at, single?.status ?? 0]);
        const shown = plain(body, batch.ids);
        // Left out of a batch are a task, and what is now, where a later operation names it.
        const whole = plain(single?.body ?? {}, singles.ids);
        if (isWhole(body)) expect(shown).toEqual(whole);
        else expect(whole).toMatchObject(shown as object);
      }
    }),
    { numRuns: 40 },
  );
}, 120_000);
