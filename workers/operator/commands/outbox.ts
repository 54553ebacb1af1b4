import { z } from "@hono/zod-openapi";
import { uuidV7 } from "../../../shared/uuid.ts";
import { refuseBackwards } from "../../../shared/http/refuse-backwards.ts";
import { topicNames, type TopicName } from "../../../shared/messages/topics.ts";
import { defineAction } from "../action.ts";
import { changeHelp, type ActionCommand } from "../action-command.ts";
import { dropHeld, listHeld, type HeldMessage } from "../actions/drop-held.ts";
import { listHolds, releaseHolds, type Hold } from "../actions/release-hold.ts";
import { planReplay, replayOutbox, type ReplayPlan } from "../actions/replay-outbox.ts";
import { all, moment, name, rate, readMoment } from "../fields.ts";
import { tableOf } from "../print-table.ts";
import { readOutbox } from "../read-outbox.ts";

const ls = defineAction({
  route: "GET /api/outbox",
  input: z.strictObject({}),
  run: async ({ db }) => {
    const { sql } = await db();
    return { ...(await readOutbox(sql)), holds: await listHolds(sql) };
  },
  print: ({ shards, waiting, oldestSeconds, holds }) =>
    [
      tableOf(["shard", ["relay", "owner"], "epoch", "waiting", ["seconds", "oldestSeconds"]], shards),
      `\n${waiting} waiting, the oldest for ${oldestSeconds} s`,
      ...(holds.length === 0
        ? []
        : [`\nheld back:\n${holdTable(holds)}\n\n\`ops outbox release\` or \`drop\` ends it`]),
    ].join("\n"),
});

/** What `drop --dry-run` shows of a key, without its hold. */
const held = defineAction({
  route: "GET /api/outbox/held",
  input: z.strictObject({ topic: name, key: name }),
  run: async ({ db }, { topic, key }) => ({ messages: await listHeld((await db()).sql, topic, key) }),
  print: ({ messages }) => messageTable(messages),
});

const release = defineAction({
  route: "POST /api/outbox/release",
  input: z
    .strictObject({ topic: name.optional(), key: name.optional(), all })
    .refine((asked) => asked.topic !== undefined || asked.all === true, {
      path: ["topic"],
      message: "say a topic, or all: true",
    })
    .refine(({ topic, key }) => key === undefined || topic !== undefined, {
      path: ["key"],
      message: "goes with a topic",
    }),
  cli: { says: { topic: "say which: --topic T --key K, --topic T, or --all", key: "--key goes with --topic" } },
  change: { dryRun: false },
  run: async ({ db }, { topic = null, key = null }, change) => releaseHolds(await db(), { topic, key }, change),
  print: ({ holds }, { dryRun }) =>
    holds.length === 0 ? "nothing is held" : `${dryRun ? "would release" : "released"}\n${holdTable(holds)}`,
});

const drop = defineAction({
  route: "POST /api/outbox/drop",
  input: z
    .strictObject({
      topic: name,
      key: name,
      ids: z
        .array(z.string().regex(/^\d{1,18}$/))
        .max(1000)
        .optional(),
      all,
    })
    .refine((asked) => (asked.ids === undefined) === (asked.all === true), {
      path: ["ids"],
      message: "say ids, or all: true",
    }),
  cli: { options: { ids: "id" }, says: { ids: "say which: --id N (several may be given) or --all" } },
  change: { dryRun: false },
  run: async ({ db }, { topic, key, ids = null }, change) => dropHeld(await db(), { topic, key, ids }, change),
  print: ({ auditId, messages }, { dryRun, input: { topic, key } }) =>
    [
      dryRun ? "would drop" : `dropped; they are kept in the audit as ${auditId}`,
      messageTable(messages),
      ...(dryRun ? [] : [`the key is still held: \`ops outbox release --topic ${topic} --key ${key}\``]),
    ].join("\n"),
});

const replay = defineAction({
  route: "POST /api/outbox/replay",
  input: z
    .strictObject({
      id: z.uuid().optional(),
      from: moment.optional(),
      to: moment.optional(),
      topics: z
        .array(
          z.enum(topicNames as [TopicName], {
            error: ({ input }) => `there is no topic "${input}": ${topicNames.join(", ")}`,
          }),
        )
        .min(1)
        .optional(),
      key: name.optional(),
      rate: rate(500),
    })
    .refine(({ id, from }) => id !== undefined || from !== undefined, { path: ["from"], message: "is needed" })
    .refine(({ id, topics }) => id !== undefined || topics !== undefined, { path: ["topics"], message: "is needed" }),
  cli: { options: { id: "resume", topics: "topic" } },
  change: { dryRun: false, resumes: "id" },
  run: async (tools, asked, { by, dryRun }) => {
    const db = await tools.db();
    const range = asked.id === undefined ? await readRange(asked, tools.now) : null;
    const plan = range === null ? null : await planReplay(db.sql, range);
    if (plan !== null && (dryRun || plan.messages === 0)) return { plan };
    const id = asked.id ?? uuidV7();
    const onWait = (why: string) => tools.tell("replay_waits", { why });
    const pace = { ratePerSecond: asked.rate, signal: tools.signal, onWait };
    const done = await tools.runLong(id, () => replayOutbox(db, { id, range, by, pace }));
    return done === undefined ? { id, plan } : { plan, ...done };
  },
  print: (answer) =>
    "messages" in answer ? `${answer.messages} messages replayed as ${answer.id}` : describePlan(answer.plan),
});

export const outboxCommand = {
  summary: "what waits to be published; releases, drops and replays messages",
  help: `ops outbox [ls|release|drop|replay] [--json]

  ls        one line per shard: the relay that publishes it, what waits and since when; below, the keys held back because
            the broker refused one of their messages for good (the default)
  release   --topic T --key K | --topic T | --all     lets held keys go on, in their order
  drop      --topic T --key K  --id N… | --all        gives up messages of a held key; their bytes stay in the audit
  replay    --from TIME [--to TIME] --topic T… [--key K] [--rate 500]
            publishes once more what was published since then: same ids, same bytes; consumers drop what they know.
            Waits while live messages wait. --resume ID goes on with one that was cut off.

${changeHelp}
  TIME is RFC 3339 or an age: 30m, 2h, 3d`,
  actions: { ls, release, drop, replay },
  others: [held],
} satisfies ActionCommand;

async function readRange(
  {
    from,
    to,
    topics = [],
    key = null,
  }: Readonly<{
    from?: string | undefined;
    to?: string | undefined;
    topics?: readonly TopicName[] | undefined;
    key?: string | null | undefined;
  }>,
  now: () => Promise<Date>,
) {
  const range = {
    from: (await readMoment(from, now)) ?? new Date(0),
    to: (await readMoment(to, now)) ?? (await now()),
  };
  refuseBackwards(range, "/to");
  return { ...range, topics, key };
}

function describePlan(plan: ReplayPlan | null): string {
  if (plan === null) return "";
  const kept =
    plan.keptSince === null ? "the outbox is empty" : `the outbox goes back to ${plan.keptSince.toISOString()}`;
  if (plan.messages === 0) return `nothing was published there; ${kept}`;
  const table = tableOf(["topic", "messages", "oldest", "newest"], plan.byTopic);
  return `would replay ${plan.messages} messages, ${plan.bytes} bytes\n${table}\n${kept}`;
}

function holdTable(holds: readonly Hold[]): string {
  return tableOf(["topic", "key", "since", "waiting", "reason"], holds);
}

function messageTable(messages: readonly HeldMessage[]): string {
  return tableOf(["id", "type", "subject", ["written", "createdAt"], "bytes"], messages);
}
