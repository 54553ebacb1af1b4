import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { makeLog } from "../../shared/role/log.ts";
import type { Message, ReceivedMessage } from "../../shared/messages/message.ts";
import { insertOutbox, outboxRow } from "../../shared/outbox/outbox.ts";
import { plainId } from "../../shared/recurrence/find-recurrence.ts";
import { dueRows } from "../../shared/timers/due-rows.ts";
import { makeChangeOccurrence } from "../../workers/recurring-task-worker/change-occurrence.ts";
import type { OccurrenceChange } from "../../workers/recurring-task-worker/decide-exception.ts";
import { makeFireSeries } from "../../workers/recurring-task-worker/fire-series.ts";
import { followTasks } from "../../workers/recurring-task-worker/follow-tasks.ts";
import { makeHandleTaskCommands } from "../../workers/task-service/handle-task-commands.ts";
import { Problem } from "../../shared/problem.ts";
import { randomOf } from "../support/random.ts";
import { ada, openWorld, type World } from "./task-service-world.ts";

const url = process.env["DATABASE_URL"];
if (!url && process.env["REQUIRE_ALL"] === "1") throw new Error("needs DATABASE_URL");
const isLong = process.env["LONG_TESTS"] === "1";
const runs = isLong ? 100 : 6;
const steps = 30;

const log = makeLog({}, "error", () => {});
const codec = { encode: (_type: string, data: object) => Buffer.from(JSON.stringify(data)) };
const times = ["created_at", "due_date", "completed_at", "deleted_at", "timestamp", "requested_at"];

/**
 * The task service and the recurring task worker on one database, with a broker between them that keeps the order of a
 * key and nothing else: what was written is delivered when `deliver` is called, of a key by chance.
 */
function openBoth(world: World, random: () => number) {
  const { db } = world;
  const signal = new AbortController().signal;
  const handleCommand = makeHandleTaskCommands(() => {});
  const fire = makeFireSeries({ db, codec, onWritten: () => {} });
  const rows = dueRows(db, { table: "series", due: "wake_at", fire });

  const handle = async (message: ReceivedMessage): Promise<void> => {
    await db.transaction(async (tx) => {
      const context = { tx, signal, log, now: new Date() };
      const answer: readonly Message[] =
        message.topic === "task-commands"
          ? await handleCommand(message, context)
          : (await followTasks([message], context)).flat();
      const source = message.topic === "task-commands" ? "task-service" : "recurring-task-worker";
      const by = { source, cause: message, correlationId: "c", now: new Date() } as const;
      await insertOutbox(
        tx,
        answer.map((each) => outboxRow(codec, each, by)),
      );
      await tx`update outbox set published_at = now() where message_id = ${message.id}`;
    });
  };
  return {
    changeOccurrence: makeChangeOccurrence({ db, codec, onWritten: () => {} }),
    /** Delivers the next message of some key; false where there is none. */
    deliver: async (): Promise<boolean> => {
      const heads = await db.sql<
        {
          topic: string;
          key: string;
          type: string;
          subject: string;
          sequence: number;
          value: Uint8Array;
          id: string;
          time: Date;
        }[]
      >`
        select distinct on (topic, key) topic, key, type, subject, sequence::int as sequence, value, message_id as id, time
        from outbox where published_at is null order by topic, key, id`;
      const head = heads[Math.floor(random() * heads.length)];
      if (head === undefined) return false;
      const json = JSON.parse(new TextDecoder().decode(head.value));
      const data = Object.fromEntries(
        Object.entries(json).map(([name, value]) => [
          name,
          times.includes(name) && typeof value === "string" ? new Date(value) : value,
        ]),
      );
      // What the two roles look at; the rest is the kernel's.
      await handle({
        ...head,
        data,
        correlationId: "c",
        causationId: null,
        traceparent: null,
      } as unknown as ReceivedMessage);
      return true;
    },
    /** Lets the due of what the series wait for pass, and fires them. */
    passTime: async (): Promise<void> => {
      await db.sql`
        update occurrences set due_passes_at = now() - interval '1 s'
        where state = 'open' and series_id in (select id from series where status = 'pending')`;
      // Of two series a message may lock the second part first.
      const wake = (): Promise<unknown> =>
        db.sql`update series set wake_at = now() - interval '1 s' where status = 'pending'`.catch((error: unknown) => {
          if (error instanceof Error && "code" in error && error.code === "40P01") return wake();
          throw error;
        });
      await wake();
      await fire(await rows.overdue({ graceMs: 0, after: null, limit: 100 }));
    },
  };
}

describe.skipIf(!url)("a series under changes from everywhere (needs DATABASE_URL)", () => {
  let world: World;
  beforeAll(async () => {
    world = await openWorld();
  }, 60_000);
  afterAll(() => world?.[Symbol.asyncDispose]());

  type Row = Readonly<{ id: string; status: string; recurrence_id: string; template_id: string; live: boolean }>;
  const occurrences = async (): Promise<readonly Row[]> => [
    ...(await world.db.sql<Row[]>`
      select id, status, recurrence_id, template_id, deleted_at is null as live
      from tasks where template_id is not null order by recurrence_id, id`),
  ];
  const doubles = (all: readonly Row[]): readonly string[] => {
    const live = all.filter((row) => row.live).map(({ recurrence_id }) => plainId(recurrence_id));
    return live.filter((place, n) => live.indexOf(place) !== n);
  };

  test(`no date ever has two live tasks, whatever is edited, ended, prolonged, undone, completed and fired meanwhile: ${runs} random courses`, async () => {
    for (let seed = 1; seed <= runs; seed++) {
      await world.db.sql`
        truncate tasks, idempotency_keys, outbox, occurrences, series_exceptions, series, followed_tasks`;
      const random = randomOf(seed * 7919);
      const pick = <T>(items: readonly T[]): T | undefined => items[Math.floor(random() * items.length)];
      const both = openBoth(world, random);
      const story: string[] = [];
      const recurrence_pattern = {
        rrule: pick(["FREQ=DAILY", "FREQ=DAILY;COUNT=12", "FREQ=DAILY;INTERVAL=2"]),
        tz: "UTC",
        start: "2099-03-02T09:00:00",
        max_open: pick([1, 2, 4]),
        anchor: pick(["schedule", "schedule", "schedule", "completion"]),
      };
      await world.send("POST", "/v1/tasks", { body: { title: "water", recurrence_pattern } });

      // A split and a new pattern, each after the other: whether there is a second part must be known when the first is
      // prolonged.
      let before: Promise<unknown> = Promise.resolve();
      const alone = (work: () => Promise<unknown>): Promise<unknown> => (before = before.then(work));
      const act = async (): Promise<void> => {
        const all = await occurrences();
        const open = pick(all.filter((row) => row.live && row.status === "open"));
        const done = pick(all.filter((row) => row.live && row.status === "completed"));
        const chance = random();
        const say = (what: string, row: Row) => story.push(`${what} ${row.recurrence_id}`);
        if (open !== undefined && chance < 0.25) {
          say("complete", open);
          await world.send("POST", `/v1/tasks/${open.id}/complete`);
        } else if (done !== undefined && chance < 0.4) {
          say("reopen", done);
          await world.send("POST", `/v1/tasks/${done.id}/reopen`);
        } else if (open !== undefined && chance < 0.65) {
          const scope = pick(["this", "future", "future", "all"]);
          say(`patch ${scope}`, open);
          const patch = () =>
            world.send("PATCH", `/v1/tasks/${open.id}?scope=${scope}`, { body: { title: `t${random()}` } });
          await (scope === "future" ? alone(patch) : patch());
        } else if (open !== undefined && chance < 0.7) {
          const verb = pick(["stop-after", "delete this", "delete future"]);
          say(String(verb), open);
          if (verb === "stop-after") await world.send("POST", `/v1/tasks/${open.id}/stop-after`);
          else await world.send("DELETE", `/v1/tasks/${open.id}?scope=${verb?.slice(7)}`);
        } else if (chance < 0.85) {
          const [series] = await world.db.sql<{ id: string }[]>`
            select id from series order by status, created_at desc limit 1 offset ${Math.floor(random() * 2)}`;
          const change = pick<OccurrenceChange>([{ wants: "skip" }, { wants: "unskip" }, { wants: "complete" }]);
          if (series === undefined || change === undefined) return;
          const recurrenceId = `2099-03-${String(2 + Math.floor(random() * 12)).padStart(2, "0")}T09:00:00`;
          story.push(`${change.wants} ${recurrenceId}`);
          const by = { userId: ada, ifMatch: "any", correlationId: "c", traceparent: null } as const;
          const asked = { seriesId: series.id, reach: { recurrenceId }, change, current: async () => null, ...by };
          await both.changeOccurrence(asked).catch((error: unknown) => {
            if (!(error instanceof Problem)) throw error;
          });
        } else if (chance < 0.93) {
          await alone(async () => {
            // Of a series that was split, the first part prolonged would have the dates of the second.
            const [template, ...more] = await world.db.sql<
              { id: string }[]
            >`select id from tasks where is_recurring_template`;
            if (template === undefined || more.length > 0) return;
            // Mostly before one that the series has asked for, and prolonged again before much of it is heard.
            const last = all.findLast((row) => row.live)?.recurrence_id ?? recurrence_pattern.start;
            const until = `${Temporal.PlainDate.from(last.slice(0, 10)).subtract({ days: 1 }).toString().replaceAll("-", "")}T235959Z`;
            const ended = `${String(recurrence_pattern.rrule).replace(/;COUNT=.*/, "")};UNTIL=${until}`;
            for (const rrule of [ended, recurrence_pattern.rrule].slice(random() < 0.2 ? 1 : 0)) {
              story.push(`now ${rrule}`);
              const body = { recurrence_pattern: { ...recurrence_pattern, rrule } };
              const { status } = await world.send("PATCH", `/v1/tasks/${template.id}`, { body });
              // Deleted with its last occurrence, changed at this moment as well, or ended before it began.
              expect([200, 404, 409, 422]).toContain(status);
              if (random() < 0.2) return;
            }
          });
        } else {
          story.push("time passes");
          await both.passTime();
        }
      };

      for (let step = 0; step < steps; step++) {
        const deliver = async (count: number) => {
          for (let n = 0; n < count; n++) await both.deliver();
        };
        await Promise.all([deliver(Math.floor(random() * 5)), act(), ...(random() < 0.5 ? [act()] : [])]);
        expect({ seed, story, doubles: doubles(await occurrences()) }).toEqual({
          seed,
          story,
          doubles: [],
        });
      }
      while (await both.deliver());
      await both.passTime();
      while (await both.deliver());
      expect({ seed, story, doubles: doubles(await occurrences()) }).toEqual({
        seed,
        story,
        doubles: [],
      });

      // What the worker believes is open is what is open.
      const believed = await world.db.sql<
        { id: string }[]
      >`select id from occurrences where state = 'open' order by id`;
      const open = (await occurrences()).filter((row) => row.live && row.status === "open");
      expect({ seed, story, open: believed.map(({ id }) => id) }).toEqual({
        seed,
        story,
        open: open.map(({ id }) => id).toSorted(),
      });
    }
  }, 600_000);
});
