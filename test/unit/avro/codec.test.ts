import { expect, test } from "bun:test";
import { openCodec } from "../../../shared/avro/codec.ts";
import { makeLog } from "../../../shared/role/log.ts";
import { Problem } from "../../../shared/problem.ts";
import type { TaskCreated, TaskUpdated } from "../../../shared/messages/records.ts";
import type { RegistryClient } from "../../../shared/avro/registry.ts";
import { readSchemas } from "../../../shared/avro/files.ts";
import { maxMessageBytes } from "../../../shared/messages/topics.ts";
import { taskCreated } from "../../support/task-created.ts";

const id = "0190a3b4-5c6d-7e8f-9a0b-1c2d3e4f5a6b";
const user_id = "0190a3b4-5c6d-7e8f-9a0b-1c2d3e4f5a6c";
const created = taskCreated({
  id,
  user_id,
  title: "Müll rausbringen 🗑️",
  created_at: new Date("2026-01-31T08:00:00.123Z"),
  due_date: new Date("2026-02-01T08:00:00Z"),
  priority: "High",
  tags: ["home", ""],
  due_on: "2028-02-29",
  due_tz: "Europe/Berlin",
});

test("a record comes back as it was, and starts with the framing and its schema's id", async () => {
  const { codec } = await setup();
  const bytes = codec.encode("TaskCreated", created);
  expect([...bytes.subarray(0, 5)]).toEqual([0, 0, 0, 0, codec.schemaId("TaskCreated")]);
  expect(await codec.decode("task-events", bytes)).toEqual({ type: "TaskCreated", data: created });
});

test("what was encoded before is not touched by what is encoded later", async () => {
  const { codec } = await setup();
  const bytes = codec.encode("TaskCreated", created);
  const copy = Buffer.from(bytes);
  // Enough to fill several buffers, with failures between.
  for (let i = 0; i < 2000; i++) {
    codec.encode("TaskCreated", { ...created, title: String(i).repeat(i) });
    expect(() => codec.encode("TaskCreated", { ...created, tags: ["\ud800"] })).toThrow();
  }
  expect(copy.equals(bytes)).toBe(true);
});

const misfits: readonly (readonly [string, unknown, string, RegExp])[] = [
  ["a field missing", without("title"), "/title", /must be text, not missing/],
  ["a nullable field missing", without("due_tz"), "/due_tz", /must be null or text, not missing/],
  ["an undeclared field of an awkward name", { ...created, "a/b~c": "x" }, "/a~1b~0c", /is not a field/],
  ["an undeclared field", { ...created, titel: "x" }, "/titel", /is not a field/],
  ["a field of another type", { ...created, title: 7 }, "/title", /must be text, not a number/],
  ["a lone surrogate", { ...created, title: "a\ud800" }, "/title", /well-formed/],
  ["a lone surrogate in long text", { ...created, title: `${"x".repeat(100)}\udc00` }, "/title", /well-formed/],
  ["a lone surrogate in a list", { ...created, tags: ["ok", "\udc00"] }, "/tags/1", /well-formed/],
  ["text that is no UUID", { ...created, id: "7" }, "/id", /must be a UUID/],
  ["a UUID with a stray letter", { ...created, id: id.replace("a", "g") }, "/id", /must be a UUID/],
  ["an invalid date", { ...created, created_at: new Date(Number.NaN) }, "/created_at", /an invalid Date/],
  [
    "text in place of a date",
    { ...created, created_at: "2026-01-31" },
    "/created_at",
    /must be a valid Date, not text/,
  ],
  ["a day that is none", { ...created, due_on: "2026-02-29" }, "/due_on", /day of the calendar/],
  ["a day in another form", { ...created, due_on: "29.2.2028" }, "/due_on", /YYYY-MM-DD/],
  ["an unknown symbol", { ...created, priority: "Urgent" }, "/priority", /one of Low, Medium, High/],
  ["a string in place of a list", { ...created, tags: "home" }, "/tags", /must be an array/],
  ["no record at all", null, "", /must be an object, not null/],
];
for (const [what, data, path, message] of misfits)
  test(`${what} is refused, naming the place and not the value`, async () => {
    const { codec } = await setup();
    const problem = caught(() => codec.encode("TaskCreated", data as TaskCreated));
    expect(problem.code).toBe("UNENCODABLE");
    expect(problem.extra.mistakes?.[0]?.path).toBe(path);
    expect(problem.message).toMatch(message);
  });

const odd: readonly (readonly [string, unknown, string])[] = [
  ["a number that is none", Number.NaN, "/updated_fields/x"],
  ["an object", { a: 1 }, "/updated_fields/x"],
  ["a Date, which belongs there as text", new Date(0), "/updated_fields/x"],
  ["a list of numbers", [1], "/updated_fields/x/0"],
  ["undefined", undefined, "/updated_fields/x"],
];
for (const [what, value, path] of odd)
  test(`among updated fields, ${what} is refused`, async () => {
    const { codec } = await setup();
    // What the type rules out, a mistake at run time can still bring.
    const fields = { x: value } as TaskUpdated["updated_fields"];
    const problem = caught(() =>
      codec.encode("TaskUpdated", { id, user_id, updated_fields: fields, timestamp: new Date() }),
    );
    expect(problem.extra.mistakes?.[0]?.path).toBe(path);
  });

test("a record larger than a topic takes is refused", async () => {
  const { codec } = await setup();
  const big = { task_id: id, user_id, change_type: "updated", timestamp: new Date() } as const;
  const problem = caught(() => codec.encode("TaskChanged", { ...big, payload: "x".repeat(maxMessageBytes) }));
  expect(problem.message).toMatch(/more than 1048576/);
  expect(codec.encode("TaskChanged", { ...big, payload: "x".repeat(maxMessageBytes - 200) }).length).toBeLessThan(
    maxMessageBytes,
  );
});

test("bytes that are no record are undecodable, each saying why", async () => {
  const { codec } = await setup();
  const good = codec.encode("TaskCreated", created);
  const poison: readonly (readonly [Uint8Array | null, string])[] = [
    [null, "has no value"],
    [new Uint8Array(), "no schema id"],
    [Buffer.from('{"id":1}'), "no schema id"],
    [Buffer.from([0, 0, 0]), "no schema id"],
    [Buffer.from([0, 0, 0, 3, 231, 0]), "there is no schema 999"],
    [good.subarray(0, -1), "the bytes end before the record does"],
    [Buffer.concat([good, Buffer.from([0])]), "1 bytes are left over"],
    [Buffer.alloc(maxMessageBytes + 1), "the value is 1048577 bytes"],
  ];
  for (const [value, why] of poison)
    await expect(codec.decode("task-events", value)).rejects.toMatchObject({
      code: "UNDECODABLE",
      message: expect.stringContaining(why),
    });
});

test("an id that an emptied registry denies says nothing of the record, which is waited for until the schemas are back", async () => {
  const { codec, registry } = await setup();
  const schema = JSON.stringify({ type: "record", name: "TaskArchived", namespace: "taskwire.events", fields: [] });
  const later = framed(registry.add("other", schema));
  registry.emptied = true;
  await expect(codec.decode("task-events", later)).rejects.toMatchObject({ code: "UNAVAILABLE" });
  expect(await codec.decode("task-events", codec.encode("TaskCreated", created))).toMatchObject({
    type: "TaskCreated",
  });
  registry.emptied = false;
  expect(await codec.decode("task-events", later)).toEqual({ unknown: "taskwire.events.TaskArchived" });
});

test("a record in a topic it does not belong to is undecodable", async () => {
  const { codec } = await setup();
  await expect(codec.decode("reminders", codec.encode("TaskCreated", created))).rejects.toMatchObject({
    code: "UNDECODABLE",
    message: "a TaskCreated has no place in reminders",
  });
});

test("a record this build does not know is named, not refused", async () => {
  const { codec, registry } = await setup();
  const schema = JSON.stringify({ type: "record", name: "TaskArchived", namespace: "taskwire.events", fields: [] });
  expect(await codec.decode("task-events", framed(registry.add("other", schema)))).toEqual({
    unknown: "taskwire.events.TaskArchived",
  });
});

test("what was written under a schema of no record is undecodable", async () => {
  const { codec, registry } = await setup();
  for (const schema of ['"string"', '["null", "string"]', "null", 'syntax = "proto3";'])
    await expect(codec.decode("task-events", framed(registry.add("other", schema)))).rejects.toMatchObject({
      code: "UNDECODABLE",
      message: expect.stringMatching(/^schema \d+ is not that of a record$/),
    });
});

test("a newer writer's record is read: new fields are forgotten, an unknown symbol becomes the default", async () => {
  const { codec, registry } = await setup();
  const schema = (await readSchemas())[0]?.current.schema;
  const newer = JSON.stringify(schema)
    .replace('["Low","Medium","High"]', '["Urgent","Low","Medium","High"]')
    .replace('"fields":[', '"fields":[{"name":"color","type":["null","string"],"default":null},');
  const bytes = codec.encode("TaskCreated", { ...created, priority: "Low" });
  const plain = Buffer.from(bytes.subarray(5));
  // With the new symbol in front, the index that was Low is now Urgent; the null of the new field comes first.
  const value = Buffer.concat([framed(registry.add("newer", newer)), Buffer.from([0]), plain]);
  expect(await codec.decode("task-events", value)).toEqual({
    type: "TaskCreated",
    data: { ...created, priority: "Medium" },
  });
});

test("a writer this build cannot read at all is a mistake of deployment, not poison", async () => {
  const { codec, registry } = await setup();
  const schema = JSON.stringify({
    type: "record",
    name: "TaskDeleted",
    namespace: "taskwire.events",
    fields: [{ name: "id", type: "long" }],
  });
  await expect(codec.decode("task-events", framed(registry.add("bad", schema)))).rejects.toMatchObject({
    code: "SCHEMA_INCOMPATIBLE",
    message: expect.stringContaining("/id: long cannot be read as string (uuid)"),
  });
});

test("a writer's schema that this build takes for no type is a mistake of deployment too", async () => {
  const { codec, registry } = await setup();
  const unsafe = { name: "x", type: { type: "array", items: "null" } };
  for (const fields of [[unsafe], [{ name: "x", type: "Missing" }], undefined]) {
    const schema = JSON.stringify({ type: "record", name: "TaskDeleted", namespace: "taskwire.events", fields });
    await expect(codec.decode("task-events", framed(registry.add("bad", schema)))).rejects.toMatchObject({
      code: "SCHEMA_INCOMPATIBLE",
      message: expect.stringContaining("this build cannot read taskwire.events.TaskDeleted"),
    });
  }
});

test("while the registry is down, known schemas are read, and an unknown id is an outage and no poison", async () => {
  const { codec, registry } = await setup();
  const schema = JSON.stringify({ type: "record", name: "TaskArchived", namespace: "taskwire.events", fields: [] });
  const unknown = framed(registry.add("other", schema));
  registry.down = true;
  expect(await codec.decode("task-events", codec.encode("TaskCreated", created))).toMatchObject({
    type: "TaskCreated",
  });
  await expect(codec.decode("task-events", unknown)).rejects.toMatchObject({ code: "UNAVAILABLE" });
  registry.down = false;
  expect(await codec.decode("task-events", unknown)).toEqual({ unknown: "taskwire.events.TaskArchived" });
});

test("many records of one unknown id ask the registry once", async () => {
  const { codec, registry } = await setup();
  const schema = JSON.stringify({ type: "record", name: "TaskArchived", namespace: "taskwire.events", fields: [] });
  const unknown = framed(registry.add("other", schema));
  const before = registry.asked;
  await Promise.all(Array.from({ length: 50 }, () => codec.decode("task-events", unknown)));
  expect(registry.asked - before).toBe(1);
});

test("a codec does not open where a schema is not registered, and says what to do", async () => {
  const registry = fakeRegistry();
  await expect(openCodec({ registry, log: quiet })).rejects.toThrow(/TaskCreated.*ops schemas apply/);
});

const quiet = makeLog({}, "error");

async function setup() {
  const registry = fakeRegistry();
  for (const { subject, current } of await readSchemas()) registry.add(subject, JSON.stringify(current.schema));
  return { registry, codec: await openCodec({ registry, log: quiet }) };
}

function framed(schemaId: number): Buffer {
  return Buffer.from([0, 0, 0, schemaId >> 8, schemaId & 255]);
}

function without(name: keyof TaskCreated): unknown {
  const { [name]: _, ...rest } = created;
  return rest;
}

function caught(work: () => unknown): Problem {
  try {
    work();
  } catch (error) {
    if (error instanceof Problem) return error;
    throw error;
  }
  throw new Error("nothing was refused");
}

/** The registry's contract in memory; test/contract/registry.test.ts holds the real client to the same calls. */
function fakeRegistry() {
  const schemas: { subject: string; schema: string }[] = [];
  const state = { down: false, emptied: false, asked: 0 };
  const answer = async <T>(value: T): Promise<T> => {
    if (state.down) throw new Problem("UNAVAILABLE", "the schema registry is not reachable");
    return value;
  };
  const client: RegistryClient = {
    address: "http://127.0.0.1:1",
    schemaById: (schemaId) => {
      state.asked++;
      return answer(state.emptied ? null : (schemas[schemaId - 1]?.schema ?? null));
    },
    lookup: (subject, schema) => {
      const index = schemas.findIndex((one) => one.subject === subject && one.schema === schema);
      return answer(index < 0 ? null : { id: index + 1, version: 1 });
    },
    register: () => Promise.reject(new Error("roles never register")),
    versions: () => answer([1]),
    version: (_subject, version) => answer({ id: version, schema: schemas[version - 1]?.schema ?? "" }),
    compatibility: () => answer("FULL_TRANSITIVE"),
    setCompatibility: () => Promise.reject(new Error("roles never change a level")),
    ping: () => answer(undefined),
  };
  const add = (subject: string, schema: string) => schemas.push({ subject, schema });
  return Object.assign(state, client, { add });
}
