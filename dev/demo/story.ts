import { setTimeout as sleep } from "node:timers/promises";
import { kafkaSettings, openBroker } from "../../shared/kafka/kafka-broker.ts";
import { readConfig } from "../../shared/role/config.ts";
import { makeLog } from "../../shared/role/log.ts";
import { openApi, type DemoAnswer, type Api } from "./api.ts";
import { watchStream, type StreamEvent } from "./watch-stream.ts";
import { watchTopics } from "./watch-topics.ts";

/** `about` are the ids a hop can be found by: its subject and its key. */
type Hop = Readonly<{ at: number; text: string; about: readonly (string | null)[]; kind: string; data?: unknown }>;
type DemoTaskView = Readonly<{ status?: string; title?: string; reminders?: readonly Readonly<{ status: string }>[] }>;

const patienceMs = 60_000;
const askEveryMs = 50;

/**
 * Runs the story; 0 when every chapter came out as told, else 1. `--url` and `--brokers` override what `dev status`
 * says.
 */
export async function tellStory(args: readonly string[]): Promise<number> {
  const where = await findSystem(args);
  const stop = new AbortController();
  await using broker = await openBroker(readConfig(kafkaSettings, { ...process.env, KAFKA_BROKERS: where.brokers }), {
    clientId: "demo",
    log: makeLog({}, "error"),
  });
  const hops: Hop[] = [];
  await watchTopics(
    broker,
    ({ record, envelope }) =>
      hops.push({
        at: performance.now(),
        kind: envelope.type,
        about: [envelope.subject, record.key],
        text: `${record.topic}[${record.partition}]@${record.offset} ${envelope.type} version ${envelope.sequence}`,
      }),
    stop.signal,
  );
  const user = `demo-${crypto.randomUUID().slice(0, 8)}`;
  const api = await openApi(where.app, user, patienceMs);
  const events: StreamEvent[] = [];
  const onEvent = (event: StreamEvent) => {
    events.push(event);
    if (event.event !== "task.changed") return;
    const { task_id, change_type, payload } = event.data as {
      task_id: string;
      change_type: string;
      payload: DemoTaskView;
    };
    hops.push({
      at: performance.now(),
      kind: `sse ${change_type}`,
      about: [task_id],
      text: `stream ${event.id} ${change_type}`,
      data: payload,
    });
  };
  void watchStream(`${where.app}/v1/stream`, api.token, onEvent, stop.signal);
  await hear("the stream is open", () => events.some(({ event }) => event === "cursor"));
  console.log(`Signed in as ${user} at ${where.app}\n`);

  try {
    const story = { api, hops };
    await createAndChange(story);
    await remind(story);
    await recur(story);
    console.log("The end: everything came out as told.");
    return 0;
  } catch (error) {
    console.error(`\nNot as told: ${error instanceof Error ? error.message : String(error)}`);
    return 1;
  } finally {
    stop.abort();
  }
}

type Story = Readonly<{ api: Api; hops: Hop[] }>;

async function createAndChange({ api, hops }: Story): Promise<void> {
  console.log("1. A task, from the request to the browser");
  const began = performance.now();
  const task = expectStatus(await api.send("POST", "/v1/tasks", { title: "Buy bread", priority: "High" }), 201);
  const id = String(task.body["id"]);
  say(began, performance.now(), `HTTP 201, task ${id}, committed together with its event`);
  await hear("the stream shows the task", () =>
    hops.some((hop) => hop.about.includes(id) && hop.kind === "sse created"),
  );
  tell(hops, began, id);

  console.log("2. Two people change it at once: the second is told");
  const changed = performance.now();
  expectStatus(await api.send("PATCH", `/v1/tasks/${id}`, { title: "Buy rye bread" }, { "if-match": '"1"' }), 200);
  const stale = expectStatus(
    await api.send("PATCH", `/v1/tasks/${id}`, { title: "Buy rolls" }, { "if-match": '"1"' }),
    412,
  );
  say(
    changed,
    performance.now(),
    `If-Match "1" again: 412, the title is "${String((stale.body["current"] as DemoTaskView | undefined)?.title)}"`,
  );
  expectStatus(await api.send("POST", `/v1/tasks/${id}/complete`), 200);
  await hear("the stream shows the completion", () =>
    hops.some((hop) => hop.about.includes(id) && hop.kind === "sse completed"),
  );
  tell(hops, changed, id);
}

async function remind({ api, hops }: Story): Promise<void> {
  console.log("3. A reminder, three seconds from now");
  const began = performance.now();
  const due = new Date(Date.now() + 3000);
  const task = expectStatus(
    await api.send("POST", "/v1/tasks", { title: "Take the cake out", due_date: due.toISOString() }),
    201,
  );
  const id = String(task.body["id"]);
  await hear("the stream shows the reminder as triggered", () =>
    hops.some(
      (hop) =>
        hop.about.includes(id) &&
        (hop.data as DemoTaskView | undefined)?.reminders?.some(({ status }) => status === "triggered"),
    ),
  );
  tell(hops, began, id);
  const reminders = expectStatus(await api.send("GET", "/v1/reminders"), 200).body["items"] as readonly Readonly<
    Record<string, string>
  >[];
  const mine = reminders.filter((reminder) => reminder["task_id"] === id);
  if (mine.length !== 1 || mine[0]?.["status"] !== "triggered")
    throw new Error(`expected one triggered reminder, found ${JSON.stringify(mine)}`);
  const late = Date.parse(mine[0]["triggered_at"] ?? "") - due.getTime();
  if (late < 0) throw new Error(`the reminder fired ${-late} ms early`);
  say(began, performance.now(), `triggered once, ${late} ms after it was due`);
  const sent = await hear(
    "its notification is delivered",
    async () => {
      const { items } = (await api.send("GET", "/v1/notifications")).body as {
        items: readonly Readonly<Record<string, string>>[];
      };
      const found = items.filter((item) => item["task_id"] === id && item["status"] === "delivered");
      return found.length > 0 && found;
    },
    askEveryMs,
  );
  say(began, performance.now(), `delivered through ${sent.map((item) => item["channel"]).join(", ")}`);
  const snooze = await api.send("POST", `/v1/reminders/${mine[0]["id"]}/snooze`, { for: "PT1H" });
  const { remind_at: until } = expectStatus(snooze, 200).body;
  say(began, performance.now(), `snoozed until ${String(until)}; the task is due when it was\n`);
}

async function recur({ api, hops }: Story): Promise<void> {
  console.log("4. A task that repeats every day");
  const began = performance.now();
  const template = expectStatus(
    await api.send("POST", "/v1/tasks", {
      title: "Water the plants",
      recurrence_pattern: { rrule: "FREQ=DAILY", tz: "Europe/Berlin", start: "2099-03-28T09:00" },
    }),
    201,
  );
  const id = String(template.body["id"]);
  const occurrences = async () => {
    const { items } = (await api.send("GET", "/v1/tasks?status=all&limit=200")).body as {
      items: readonly Readonly<Record<string, string>>[];
    };
    return items.filter((task) => task["template_id"] === id);
  };
  const [first] = await hear(
    "the first occurrence",
    async () => {
      const found = await occurrences();
      return found.length === 1 && found;
    },
    askEveryMs,
  );
  say(began, performance.now(), `the first occurrence is due ${first?.["due_date"]}`);
  const completed = performance.now();
  expectStatus(await api.send("POST", `/v1/tasks/${first?.["id"]}/complete`), 200);
  const both = await hear(
    "the next occurrence",
    async () => {
      const found = await occurrences();
      return found.length === 2 && found;
    },
    askEveryMs,
  );
  const next = both.find((task) => task["id"] !== first?.["id"]);
  say(
    completed,
    performance.now(),
    `completed; the next is due ${next?.["due_date"]}: 09:00 in Berlin, across the change of the clocks`,
  );
  tell(hops, completed, String(first?.["id"]), id, String(next?.["id"]));
}

/** Prints the hops of these subjects since `began`, in the order they happened. */
function tell(hops: readonly Hop[], began: number, ...subjects: readonly string[]): void {
  for (const hop of hops
    .filter(({ at, about }) => at >= began && subjects.some((subject) => about.includes(subject)))
    .toSorted((a, b) => a.at - b.at))
    say(began, hop.at, hop.text);
  console.log("");
}

function say(began: number, at: number, text: string): void {
  console.log(`${(at - began).toFixed(1).padStart(9)} ms  ${text}`);
}

function expectStatus(answer: DemoAnswer, status: number): DemoAnswer {
  if (answer.status !== status)
    throw new Error(`expected ${status}, got ${answer.status}: ${JSON.stringify(answer.body)}`);
  return answer;
}

async function hear<T>(what: string, look: () => T | Promise<T>, everyMs = 10): Promise<Exclude<T, false>> {
  const deadline = performance.now() + patienceMs;
  for (;;) {
    const found = await look();
    // `false` means not yet and has just been ruled out.
    if (found) return found as Exclude<T, false>;
    if (performance.now() > deadline) throw new Error(`waited ${patienceMs / 1000} s for: ${what}`);
    await sleep(everyMs); // the watchers fill an array; the API is asked less often
  }
}

async function findSystem(args: readonly string[]): Promise<{ app: string; brokers: string }> {
  const option = (name: string) => {
    const at = args.indexOf(name);
    return at < 0 ? undefined : args[at + 1];
  };
  const [app, brokers] = [option("--url"), option("--brokers")];
  if (app && brokers) return { app, brokers };
  const child = Bun.spawn([process.execPath, "dev/main.ts", "status", "--json"], {
    cwd: `${import.meta.dir}/../..`,
    stdout: "pipe",
    stderr: "pipe",
  });
  const [out, code] = await Promise.all([new Response(child.stdout).text(), child.exited]);
  if (code !== 0)
    throw new Error(
      "Taskwire is not running here: start it with `npx bun run dev`, then run the demo in a second terminal",
    );
  const status = JSON.parse(out) as { app: string; kafkaBrokers: string };
  return { app: app ?? status.app, brokers: brokers ?? status.kafkaBrokers };
}
