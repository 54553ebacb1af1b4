import { z } from "@hono/zod-openapi";
import { readConfig, text } from "../../../shared/role/config.ts";
import { isProduction } from "../../../shared/role/is-production.ts";
import { readTopicLayouts, type TopicLayout } from "../../../shared/outbox/topic-layouts.ts";
import { groupNames } from "../../../shared/messages/topics.ts";
import { defineAction, type Tools } from "../action.ts";
import { changeHelp, type ActionCommand } from "../action-command.ts";
import { applyTopics, describeTopic } from "../actions/apply-topics.ts";
import { planTopics, wantedTopics, type TopicStep } from "../plan-topics.ts";
import { tableOf } from "../print-table.ts";
import { abort, repartition } from "./repartition.ts";

const ls = defineAction({
  route: "GET /api/topics",
  input: z.strictObject({}),
  run: async (tools) => answerOf(await plan(tools), false),
  print: describe,
});

const apply = defineAction({
  route: "POST /api/topics/apply",
  input: z.strictObject({}),
  change: { dryRun: false },
  run: async (tools, _, { by, dryRun }) => {
    const planned = await plan(tools);
    const { admin } = await tools.broker();
    if (!dryRun) await applyTopics({ db: await tools.db(), admin }, planned.steps, by);
    return answerOf(planned, !dryRun);
  },
  print: describe,
  fails: ({ topics }) => topics.some(({ state }) => state === "refused"),
});

/** For a machine of one's own, so no part of the API. */
const deleteAll = defineAction({
  route: null,
  input: z.strictObject({ yes: z.literal(true) }),
  cli: { says: { yes: "this deletes every record of the deployment; say --yes" } },
  run: async ({ env, broker }) => {
    const { environment } = readConfig({ environment: text("NODE_ENV", "development") }, env);
    if (isProduction(environment)) throw new Error(`refused: NODE_ENV is ${environment}`);
    const { admin } = await broker();
    const existing = new Set((await admin.topics()).map(({ name }) => name));
    const ours = wantedTopics({ partitions: 1, retentionMs: 60_000, replication: null }).map(({ name }) => name);
    const topics = ours.filter((topic) => existing.has(topic));
    for (const name of topics) await admin.deleteTopic(name);
    const joined = new Set((await admin.groups()).map(({ name }) => name));
    const groups = groupNames.filter((group) => joined.has(group));
    for (const name of groups) await admin.deleteGroup(name);
    return { topics, groups };
  },
  print: ({ topics, groups }) =>
    [...topics.map((name) => `deleted ${name}`), ...groups.map((name) => `deleted group ${name}`)].join("\n"),
});

export const topicsCommand = {
  summary: "show topics as they are and should be; apply makes them so",
  help: `ops topics [ls|apply|repartition|delete] [--json] [--yes]

  ls       every topic of the product and what differs from what it should be (the default)
  apply    creates what is missing and mends settings that differ; safe to run twice. A changed number of partitions is
           refused, because keys would move. A new task-updates gets a new stream epoch.
  repartition TOPIC --to N [--apply] [--drain-seconds 60]
           gives a topic more partitions while everything runs: its messages wait in the outbox until every group has
           handled what is in the log. Without --apply it only shows the plan and how long the pause will be.
           --resume ID goes on with one that was cut off, --abort ID ends it before it has added partitions.
  delete   deletes every topic and group of this deployment, with --yes. Refused where NODE_ENV is production.

All need the migrated database, where it is kept which topics were repartitioned.
TOPIC_PARTITIONS (6), TOPIC_RETENTION_MS (7 days) and TOPIC_REPLICATION (the broker's default) say what is wanted.

${changeHelp}`,
  actions: { ls, apply, repartition, delete: deleteAll, "repartition abort": abort },
  pick: (verb, _, { abort: id }) => (verb === "repartition" && id !== undefined ? "repartition abort" : verb),
} satisfies ActionCommand;

type TopicPlan = Readonly<{ steps: readonly TopicStep[]; layouts: readonly TopicLayout[] }>;

async function plan({ db, broker, topicSettings }: Tools): Promise<TopicPlan> {
  const wanted = topicSettings();
  const layouts = await readTopicLayouts((await db()).sql);
  const { admin } = await broker();
  return { steps: planTopics(wantedTopics(wanted, layouts), await admin.topics()), layouts };
}

function answerOf({ steps, layouts }: TopicPlan, applied: boolean) {
  return { applied, topics: steps.map((step) => describeTopic(step, layouts)) };
}

function describe({ applied, topics }: ReturnType<typeof answerOf>): string {
  const table = tableOf(
    [
      ["topic", "name"],
      "partitions",
      ["retention", (topic) => `${Number((topic.retentionMs / 3_600_000).toFixed(2))} h`],
      ["max bytes", "maxMessageBytes"],
      "writer",
      "key",
      ["state", (topic) => `${topic.state}${why(topic, applied)}`],
    ],
    topics,
  );
  const held = topics.flatMap(({ name, held: of }) =>
    of === null
      ? []
      : [
          `\n${name} is held since ${of.since.toISOString()} (${Math.round(of.seconds)} s): nothing of it is published. ` +
            `\`ops topics repartition --resume ${of.by}\` goes on, --abort ${of.by} ends it`,
        ],
  );
  const isWrong = topics.some(({ state }) => state === "missing" || state === "differs");
  return [table, ...held, ...(!applied && isWrong ? ["\n`ops topics apply` makes them so"] : [])].join("\n");
}

type TopicDescription = ReturnType<typeof describeTopic>;

function why({ state, changes = [], reason = "" }: TopicDescription, isDone: boolean): string {
  if (state === "missing") return isDone ? ": created" : "";
  if (state === "refused") return `: ${reason}`;
  if (state === "as wanted") return "";
  const said = changes.map(({ name, from, to }) => `${name} ${from} -> ${to}`).join(", ");
  return `: ${said}${isDone ? ", changed" : ""}`;
}
