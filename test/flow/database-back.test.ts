import { expect, test } from "bun:test";
import { setTimeout as sleep } from "node:timers/promises";
import { groupNames } from "../../shared/messages/topics.ts";
import { allTasks, signIn, type Client } from "../support/client.ts";
import { follow } from "../support/follow.ts";
import { endedRoles } from "../support/expect-nothing-lost.ts";
import { openPostgresServers, type PostgresServer } from "../support/postgres-servers.ts";
import { readTopic } from "../support/read-topic.ts";
import { settled } from "../support/settled.ts";
import { stack } from "../support/stack.ts";
import { openSwitchingProxy } from "../support/switching-proxy.ts";
import { startSystem, withoutLimits, type System } from "../support/system.ts";
import { until } from "../support/until.ts";

const isLong = process.env["LONG_TESTS"] === "1";
/** How much the database loses: two minutes of it with `--long`. */
const lossMs = isLong ? 120_000 : 4_000;

test("a failover under load to a replica that is behind: what survived has its effects, once, and streams tell the truth", async () => {
  await using servers = openPostgresServers();
  const primary = await servers.start(await servers.create());
  await using link = await openSwitchingProxy(primary.port);
  await using front = await openSwitchingProxy(primary.port);
  const copy = await servers.backUp(primary);
  const primary_conninfo = `host=127.0.0.1 port=${link.port} user=postgres`;
  servers.recovering(copy, "standby", { primary_conninfo });
  const replica = await servers.start(copy);

  await using system = await startSystem({ stack: behind(front.port), env: withoutLimits });
  await using load = await beginLoad(system);
  await load.writes(15);
  link.lead(null);
  await sleep(lossMs); // of load that the replica has not
  await load.writes(10);
  const before = await load.written();
  front.lead(null);
  await primary.stop("immediate");
  // Nobody has promoted it yet: a standby answers reads, and takes no write.
  front.lead(replica.port);
  await standsBy(system, load);
  await replica.run("select pg_promote(true, 60)");
  await load.writes(15);
  await examine(system, load, replica, before);
}, 500_000);

test.skipIf(!isLong)(
  "a restore to an earlier moment under load: the same",
  async () => {
    await using servers = openPostgresServers();
    const archive = servers.folder("archive");
    const archiving = { archive_mode: "on", archive_command: `cp %p ${archive}/%f` };
    const primary = await servers.start(await servers.create(), archiving);
    await using front = await openSwitchingProxy(primary.port);
    const backup = await servers.backUp(primary);

    await using system = await startSystem({ stack: behind(front.port), env: withoutLimits });
    await using load = await beginLoad(system);
    await load.writes(15);
    const [now] = await primary.run<{ now: string }>("select clock_timestamp()::text as now");
    await sleep(lossMs); // of load that is not restored
    await load.writes(10);
    const before = await load.written();
    front.lead(null);
    await primary.run("select pg_switch_wal()");
    await primary.stop();
    servers.recovering(backup, "recovery", {
      restore_command: `cp ${archive}/%f %p`,
      recovery_target_time: now?.now ?? "",
      recovery_target_action: "promote",
    });
    const restored = await servers.start(backup);
    await until("recovered", async () => {
      const [state] = await restored.run<{ replica: boolean }>("select pg_is_in_recovery() as replica");
      return state?.replica === false;
    });
    front.lead(restored.port);
    await load.writes(15);
    await examine(system, load, restored, before);
  },
  500_000,
);

/** Settles once the roles say that they wait for a database that takes writes, and people read all the while. */
async function standsBy(system: System, load: Load): Promise<void> {
  const [ada] = load.users;
  if (ada === undefined) throw new Error("nobody is there");
  await until("reads are answered", async () => (await ada.call("GET", "/v1/tasks?limit=1")).status === 200);
  for (const role of ["task-update-broadcaster", "reminder-service", "outbox-relay"] as const)
    await until(
      `${role} says what it waits for`,
      async () =>
        /^dependency_down\{.*reason="read_only".*\} 1$/m.test(
          await (await fetch(`${system.metricsUrl(role)}/metrics`)).text(),
        ),
      { timeoutMs: 30_000 },
    );
  for (const role of ["ui-gateway", "task-service", "reminder-service"] as const)
    expect({ role, status: (await fetch(`${system.metricsUrl(role)}/readyz`)).status }).toEqual({ role, status: 200 });
  for (let n = 0; n < 20; n++) {
    expect((await ada.call("GET", "/v1/tasks?limit=1")).status).toBe(200);
    await sleep(100); // reads go on while nothing is written
  }
  const [task] = (await ada.call("GET", "/v1/tasks?limit=1")).body.items;
  for (const [method, path] of [
    ["POST", "/v1/tasks"],
    ["PATCH", `/v1/tasks/${task?.id}`],
  ] as const) {
    const { status, body } = await ada.call(method, path, { title: "into a standby" });
    expect({ method, status, code: body["code"] }).toEqual({ method, status: 503, code: "UNAVAILABLE" });
  }
}

function behind(port: number) {
  return { ...stack(), databaseUrl: `postgres://postgres@127.0.0.1:${port}/taskwire` };
}

type Load = Awaited<ReturnType<typeof beginLoad>>;

/** Three people who write, each followed on a stream. */
async function beginLoad(system: System) {
  const gateway = system.url("ui-gateway");
  const users = await Promise.all(["ada", "ben", "cleo"].map((name) => signIn(gateway, name)));
  const followers = users.map((user) => follow(gateway, user));
  const ended = new AbortController();
  let made = 0;
  const writers = users.map((user) => write(user, ended.signal, () => made++));
  const stop = async () => {
    ended.abort();
    await Promise.all(writers);
  };
  return {
    users,
    followers,
    stop,
    /** Waits for so many more tasks. */
    writes: async (count: number) => {
      const from = made;
      await until(`${count} tasks`, () => made >= from + count, { timeoutMs: 120_000 });
    },
    /** How many tasks there are now. */
    written: async () => (await Promise.all(users.map(allTasks))).flat().length,
    [Symbol.asyncDispose]: async () => {
      await stop();
      await Promise.all(followers.map((follower) => follower.stop()));
    },
  };
}

/**
 * Creates, changes and completes tasks until told to stop. What becomes of a request in the outage, and of a lost task,
 * is not its care.
 */
async function write(user: Client, signal: AbortSignal, wrote: () => void): Promise<void> {
  for (let n = 0; !signal.aborted; n++)
    try {
      const due_date = new Date(Date.now() + 3_000).toISOString();
      const recurrence_pattern = { rrule: "FREQ=DAILY", tz: "UTC", anchor: "completion" };
      const more = n % 7 === 6 ? { recurrence_pattern } : n % 3 === 0 ? { remind: ["PT0S"] } : {};
      const body = { title: `Task ${n}`, due_date, ...more };
      const task = await user.must<{ id: string; first_occurrence?: { id: string } | null }>("POST", "/v1/tasks", body);
      wrote();
      if (n % 7 === 6) {
        const first = task.first_occurrence?.id;
        if (first !== undefined) await user.must("POST", `/v1/tasks/${first}/complete`);
        continue;
      }
      await user.must("PATCH", `/v1/tasks/${task.id}`, { title: `Task ${n}, changed` });
      if (n % 4 === 0) await user.must("POST", `/v1/tasks/${task.id}/complete`);
      await sleep(50); // a person's pace
    } catch {
      await sleep(100); // as a client would after an error
    }
}

async function examine(system: System, load: Load, server: PostgresServer, before: number): Promise<void> {
  await load.stop();
  await until(
    "a new part of the history",
    async () => (await rows<{ number: number }>(system, server, history))[0]?.number === 1,
    {
      timeoutMs: 60_000,
    },
  );
  await settled(system);
  const [figures] = await rows<Record<string, number>>(system, server, counts);
  console.log(`tasks before ${before}, after ${figures?.["tasks"]}`, JSON.stringify(figures));
  for (const [name, statement] of Object.entries(wrong))
    expect({ [name]: [...(await rows(system, server, statement))] }).toEqual({ [name]: [] });
  expect(JSON.parse(await system.ops("parked", "--json"))).toEqual({ parked: [] });
  expect(endedRoles(system)).toEqual([]);
  for (const group of groupNames)
    expect({ group, dead: (await readTopic(system.env, `${group}-dlq`)).length }).toEqual({ group, dead: 0 });

  for (const [index, user] of load.users.entries()) {
    const follower = load.followers[index];
    const tasks = await allTasks(user);
    await until(
      "the stream says what the lists say",
      () =>
        tasks.every(
          (task) =>
            follower?.view(task.id)?.version === task.version && follower.view(task.id)?.title === task["title"],
        ),
      {
        timeoutMs: 30_000,
        describe: () =>
          JSON.stringify(
            tasks
              .filter((task) => follower?.view(task.id)?.version !== task.version)
              .map((task) => [task.id, task.version, follower?.view(task.id)]),
          ),
      },
    );
    const known = new Set(tasks.map(({ id }) => id));
    // Templates are in no list.
    expect(follower?.resets()).toBeGreaterThan(0);
    const strange = (follower?.ids() ?? []).filter((id) => !known.has(id));
    for (const id of strange) expect((await user.call("GET", `/v1/tasks/${id}`)).status).toBe(200);
  }
}

const history = "select number from database_history order by number desc limit 1";
const counts = `
  select (select count(*)::int from tasks) as tasks, (select count(*)::int from reminders where status = 'triggered') as fired,
    (select count(*)::int from deliveries) as deliveries, (select count(*)::int from tasks where recurrence_id is not null) as occurrences`;

/** Each finds what must not be. */
const wrong: Readonly<Record<string, string>> = {
  "a view that is not its task": `
    select t.id, t.version, v.folded->>'version' as told from tasks t full join task_views v on v.task_id = t.id
    where t.id is null or v.task_id is null or v.folded is null or (v.folded->>'version')::bigint <> t.version
      or v.folded #>> '{fields,title,value}' <> t.title or v.folded #>> '{fields,status,value}' <> t.status`,
  "a guard that is not its task": `
    select g.task_id, g.closed, t.status from reminder_guards g left join tasks t on t.id = g.task_id
    where t.id is null or g.closed <> (t.status = 'completed' or t.deleted_at is not null)`,
  "a task whose reminder is missing, or one of no task": `
    select t.id as task, r.id as reminder from tasks t full join reminders r on r.task_id = t.id
    where t.id is null or (r.id is null and t.remind = '{PT0S}' and t.status = 'open' and t.due_date > t.created_at)`,
  "a reminder that is overdue":
    "select id from reminders where status = 'pending' and remind_at < clock_timestamp() - interval '10 s'",
  "a firing that is not notified once on each of its ways": `
    select r.id, count(d.id) from reminders r left join deliveries d on d.reminder_id = r.id
    where r.status = 'triggered' group by r.id having count(d.id) = 0 or count(d.id) <> count(distinct (d.event_id, d.channel))`,
  "a series without its one open occurrence": `
    select t.id, count(o.id) from tasks t left join tasks o on o.template_id = t.id and o.status = 'open' and o.deleted_at is null
    where t.is_recurring_template and t.deleted_at is null group by t.id having count(o.id) <> 1`,
};

async function rows<T extends object = Record<string, unknown>>(
  system: System,
  server: PostgresServer,
  statement: string,
) {
  const database = new URL(system.env["DATABASE_URL"] ?? "").pathname.slice(1);
  return server.run<T>(statement, database);
}
