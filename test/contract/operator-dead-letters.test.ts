import { afterAll, beforeEach, expect, setDefaultTimeout, test } from "bun:test";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { operatorWorld } from "../support/operator-world.ts";

setDefaultTimeout(30_000);
const world = await operatorWorld();
const { ops, db } = world;
afterAll(() => world[Symbol.asyncDispose](), 30_000);
beforeEach(() => world.clear());

const stateOf = async (id: string) =>
  (await db.sql<{ state: string }[]>`select state from dead_letters where id = ${id}`)[0]?.state;

async function file(data: unknown): Promise<string> {
  const path = join(tmpdir(), `dlq-${crypto.randomUUID()}.json`);
  await Bun.write(path, JSON.stringify(data));
  return path;
}

test("dead letters of the same kind are one line with their count, keys, users and newest sample", async () => {
  await world.die({ key: "a" });
  await world.die({ key: "a" });
  const last = await world.die({ key: "b", error: "the newest" });
  await world.die({ fingerprint: "beef", group: "reminder-service", class: "invalid" });
  const { groups } = await ops.json<{ groups: unknown[] }>("dlq", "groups");
  expect(groups).toMatchObject([
    {
      group: "task-update-broadcaster",
      fingerprint: "f00d",
      count: 3,
      keys: 2,
      users: 3,
      sample: last.id,
      error: "the newest",
    },
    { group: "reminder-service", fingerprint: "beef", count: 1, classes: ["invalid"], types: ["TaskUpdated"] },
  ]);
  expect((await ops("dlq")).out).toMatch(/^task-update-broadcaster +f00d +3 +permanent +2 +3 /m);
});

test("every filter narrows the list, alone and together", async () => {
  const one = await world.die({ key: "a", class: "invalid" });
  const two = await world.die({ key: "a", fingerprint: "beef" });
  const three = await world.die({ group: "reminder-service" });
  await db.sql`update dead_letters set dead_at = '2020-01-01T00:00:00Z' where id = ${three.id}`;
  const list = async (...filter: readonly string[]) =>
    (await ops.json<{ deadLetters: { id: string }[] }>("dlq", "ls", ...filter)).deadLetters
      .map(({ id }) => id)
      .toSorted();
  expect(await list("--key", "a")).toEqual([one.id, two.id].toSorted());
  expect(await list("--key", "a", "--fingerprint", "beef")).toEqual([two.id]);
  expect(await list("--class", "invalid")).toEqual([one.id]);
  expect(await list("--user", two.userId)).toEqual([two.id]);
  expect(await list("--group", "reminder-service")).toEqual([three.id]);
  expect(await list("--to", "2021-01-01")).toEqual([three.id]);
  expect(await list("--from", "1h")).toEqual([one.id, two.id].toSorted());
  expect(await list("--letter", one.id, "--letter", three.id)).toEqual([one.id, three.id].toSorted());
  expect(await list("--limit", "1")).toHaveLength(1);
});

test("one dead letter is shown with its decoded record, headers, tries and stack", async () => {
  const { id, data, messageId } = await world.die({ updated: { title: "Bread", tags: ["a"] } });
  const shown = await ops.json<object>("dlq", "show", id);
  expect(shown).toMatchObject({
    id,
    messageId,
    state: "dead",
    read: "as TaskUpdated",
    value: JSON.parse(JSON.stringify(data)),
    schemaId: world.codec.schemaId("TaskUpdated"),
    attempts: [{ class: "permanent" }],
  });
  const { out } = await ops("dlq", "show", id);
  for (const part of ["ce_correlationid", "at widget", '"title": "Bread"', "the widget is broken"])
    expect(out).toContain(part);
  const broken = await world.die({ value: Buffer.from([1, 2, 3]) });
  expect((await ops("dlq", "show", broken.id)).out).toContain("value, as base64");
  expect(await ops("dlq", "show", crypto.randomUUID())).toMatchObject({
    code: 1,
    err: expect.stringContaining("no dead letter"),
  });
});

test("dropping settles what fits and nothing else, with its plan first", async () => {
  const [one, two] = [await world.die({ key: "a" }), await world.die({ key: "b" })];
  expect((await ops("dlq", "drop")).code).toBe(2);
  expect((await ops("dlq", "drop", "--key", "a", "--dry-run")).out).toBe("would drop 1 dead letters");
  expect(await stateOf(one.id)).toBe("dead");
  expect((await ops("dlq", "drop", "--key", "a", "--reason", "test data")).out).toBe("dropped 1 dead letters");
  expect([await stateOf(one.id), await stateOf(two.id)]).toEqual(["dropped", "dead"]);
  expect((await ops("dlq", "drop", "--key", "a")).out).toBe("dropped 0 dead letters");
  expect([...(await world.audited())]).toMatchObject([
    { action: "dlq drop", reason: "test data", plan: { ids: [one.id] } },
  ]);
  expect((await ops("dlq", "ls", "--state", "dropped")).out).toContain(one.id);
});

test("an edited copy is checked, linked, of its own id, and the original is kept", async () => {
  const { id, data, messageId, time, epoch } = await world.die();
  const good = { ...data, updated_fields: { title: "Butter" }, timestamp: "2026-03-01T10:00:00.000Z" };
  const bad = await ops("dlq", "edit", id, "--data", await file({ ...good, user_id: 7 }));
  expect(bad).toMatchObject({ code: 1, err: expect.stringContaining("TaskUpdated/user_id") });
  expect((await ops("dlq", "edit", id, "--data", await file(data))).err).toContain("nothing in");
  const path = await file(good);
  expect((await ops("dlq", "edit", id, "--data", path, "--dry-run")).out).toBe(
    `would change updated_fields, timestamp of TaskUpdated ${id}`,
  );
  expect(await stateOf(id)).toBe("dead");
  const edited = await ops.json<{ id: string; changed: string[] }>("dlq", "edit", id, "--data", path);
  expect(edited.changed).toEqual(["updated_fields", "timestamp"]);
  expect(await stateOf(id)).toBe("edited");
  type Shown = { messageId: string; headers: [string, string][]; value: unknown };
  const copy = await ops.json<Shown>("dlq", "show", edited.id);
  expect(copy).toMatchObject({ state: "dead", editedFrom: id, value: good, read: "as TaskUpdated" });
  expect(copy.messageId).not.toBe(messageId);
  expect(copy.headers).toContainEqual(["ce_id", copy.messageId]);
  expect(copy.headers).toContainEqual(["x-edited-from", id]);
  expect(copy.headers).toContainEqual(["ce_correlationid", "c"]);
  expect([
    ...(await db.sql`select fate from inbox where epoch = ${epoch} and message_id = ${copy.messageId} and time = ${time}`),
  ]).toEqual([{ fate: "dead" }]);
  expect(await ops.json<object>("dlq", "edit", id, "--data", path)).toMatchObject({ id: edited.id, auditId: null });
  const other = await ops("dlq", "edit", id, "--data", await file({ ...good, updated_fields: {} }));
  expect(other).toMatchObject({ code: 1, err: expect.stringContaining("is edited; only what is dead") });
  expect((await world.audited()).map(({ action }) => action)).toEqual(["dlq edit"]);
});

test("what a reset of the group will bring back is not edited", async () => {
  const { id, data } = await world.die();
  await db.sql`update consumer_groups set epoch = nextval('consumer_group_epoch')`;
  const path = await file({ ...data, updated_fields: { title: "Butter" } });
  expect((await ops("dlq", "edit", id, "--data", path)).err).toContain("was reset since");
  expect(await stateOf(id)).toBe("dead");
});
