import type { Broker } from "../../../shared/broker.ts";
import { readConfig, text } from "../../../shared/config.ts";
import { isProduction } from "../../../shared/is-production.ts";
import { kafkaSettings, openBroker } from "../../../shared/kafka/kafka-broker.ts";
import { groupNames } from "../../../shared/topics.ts";
import { applyTopics, describeTopic } from "../actions/apply-topics.ts";
import { commonOptions, readArgs, readVerb, usageError, type Command, type Terminal } from "../command.ts";
import { openOpsDb, readBy } from "../open-tools.ts";
import { planTopics, topicSettings, wantedTopics, type TopicStep } from "../plan-topics.ts";
import { printTable } from "../print-table.ts";

export const topicsCommand: Command = {
  summary: "show topics as they are and should be; apply makes them so",
  help: `ops topics [ls|apply|delete] [--json] [--yes]

  ls       every topic of the product and what differs from what it should be (the default)
  apply    creates what is missing and mends settings that differ; safe to run twice. A changed number of partitions is
           refused, because keys would move. Needs the migrated database: a new task-updates gets a new stream epoch.
  delete   deletes every topic and group of this deployment, with --yes. Refused where NODE_ENV is production.

TOPIC_PARTITIONS (6), TOPIC_RETENTION_MS (7 days) and TOPIC_REPLICATION (the broker's default) say what is wanted.`,
  run: async (args, terminal) => {
    const { values, positionals } = readArgs(args, {
      ...commonOptions,
      by: { type: "string" },
      reason: { type: "string" },
      yes: { type: "boolean", default: false },
    });
    const verb = readVerb(positionals, ["ls", "apply", "delete"]);
    const { kafka, topic, environment } = readConfig(
      { kafka: kafkaSettings, topic: topicSettings, environment: text("NODE_ENV", "development") },
      terminal.env,
    );
    await using broker = await openBroker(kafka, { clientId: "taskwire-ops", log: terminal.log });
    if (verb === "delete") {
      if (isProduction(environment)) throw new Error(`refused: NODE_ENV is ${environment}`);
      if (!values.yes) throw usageError("this deletes every record of the deployment; say --yes");
      return await deleteAll(broker, terminal);
    }
    const plan = planTopics(wantedTopics(topic), await broker.admin.topics());
    if (verb === "apply") {
      await using db = await openOpsDb(terminal);
      await applyTopics({ db, admin: broker.admin }, plan, readBy(values, terminal.env));
    }
    show(plan, verb, values.json, terminal);
    return plan.some(({ kind }) => kind === "refuse") && verb === "apply" ? 1 : 0;
  },
};

async function deleteAll(broker: Broker, { print }: Terminal): Promise<number> {
  const existing = new Set((await broker.admin.topics()).map(({ name }) => name));
  const ours = wantedTopics({ partitions: 1, retentionMs: 60_000, replication: null }).map(({ name }) => name);
  for (const name of ours.filter((topic) => existing.has(topic))) {
    await broker.admin.deleteTopic(name);
    print(`deleted ${name}`);
  }
  const groups = new Set((await broker.admin.groups()).map(({ name }) => name));
  for (const name of groupNames.filter((group) => groups.has(group))) {
    await broker.admin.deleteGroup(name);
    print(`deleted group ${name}`);
  }
  return 0;
}

function show(plan: readonly TopicStep[], verb: "ls" | "apply", json: boolean, { print }: Terminal): void {
  if (json) return print(JSON.stringify({ applied: verb === "apply", topics: plan.map(describeTopic) }));
  const rows = plan.map((step) => {
    const { name, partitions, retentionMs, maxMessageBytes, writer, key, state } = describeTopic(step);
    return [
      name,
      partitions,
      `${Number((retentionMs / 3_600_000).toFixed(2))} h`,
      maxMessageBytes,
      writer,
      key,
      `${state}${why(step, verb)}`,
    ];
  });
  print(printTable(["TOPIC", "PARTITIONS", "RETENTION", "MAX BYTES", "WRITER", "KEY", "STATE"], rows));
  if (verb === "ls" && plan.some(({ kind }) => kind === "create" || kind === "alter"))
    print("\n`ops topics apply` makes them so");
}

function why(step: TopicStep, verb: "ls" | "apply"): string {
  const done = verb === "apply";
  if (step.kind === "create") return done ? ": created" : "";
  if (step.kind === "refuse") return `: ${step.reason}`;
  if (step.kind === "keep") return "";
  const changes = step.changes.map(({ name, from, to }) => `${name} ${from} -> ${to}`).join(", ");
  return `: ${changes}${done ? ", changed" : ""}`;
}
