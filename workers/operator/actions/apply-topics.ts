import type { Admin } from "../../../shared/messages/broker.ts";
import type { Db } from "../../../shared/postgres/db.ts";
import type { TopicLayout } from "../../../shared/outbox/topic-layouts.ts";
import { topicNames, topics } from "../../../shared/messages/topics.ts";
import { audited, type ChangeAuthor } from "../audit.ts";
import type { TopicStep } from "../plan-topics.ts";
import { beginStreamEpoch, ensureStreamEpoch, topicsWithEpoch } from "../stream-epoch.ts";

/**
 * Creates what is missing and mends settings that differ; what is refused stays. Safe to run twice. A topic whose
 * positions clients keep gets a new epoch when it is created.
 */
export async function applyTopics(
  { db, admin }: Readonly<{ db: Db; admin: Admin }>,
  plan: readonly TopicStep[],
  by: ChangeAuthor,
): Promise<void> {
  const changes = plan.filter(({ kind }) => kind === "create" || kind === "alter");
  const work = () => applySteps(plan, admin, db);
  await (changes.length === 0 ? work() : audited(db.sql, by, { action: "topics apply", plan: { changes } }, work));
}

async function applySteps(plan: readonly TopicStep[], admin: Admin, db: Db): Promise<void> {
  for (const step of plan) {
    const { topic } = step;
    const hasEpoch = topicsWithEpoch.has(topic.name);
    if (step.kind === "create") {
      if (hasEpoch) await beginStreamEpoch(db.sql, topic.name);
      const { replication, ...state } = topic;
      await admin.createTopic(replication === null ? state : { ...state, replication });
    } else if (hasEpoch) await ensureStreamEpoch(db.sql, topic.name);
    if (step.kind === "alter")
      await admin.alterConfigs(topic.name, Object.fromEntries(step.changes.map(({ name, to }) => [name, to])));
  }
}

/** A step for people and as JSON. */
export function describeTopic(step: TopicStep, layouts: readonly TopicLayout[] = []) {
  const { topic, kind } = step;
  const spec = topicNames.filter((name) => name === topic.name).map((name) => topics[name])[0];
  return {
    name: topic.name,
    partitions: topic.partitions,
    retentionMs: Number(topic.configs["retention.ms"]),
    maxMessageBytes: Number(topic.configs["max.message.bytes"]),
    writer: spec?.writer ?? "its group or relay",
    key: spec?.key ?? "as it was",
    state: { keep: "as wanted", create: "missing", alter: "differs", refuse: "refused" }[kind],
    held: layouts.find((layout) => layout.topic === topic.name)?.held ?? null,
    ...(step.kind === "alter" ? { changes: step.changes } : {}),
    ...(step.kind === "refuse" ? { reason: step.reason } : {}),
  };
}
