import { expect, test } from "bun:test";
import { readConfig } from "../../../shared/role/config.ts";
import { deadLetterTopics, topicNames } from "../../../shared/messages/topics.ts";
import { planTopics, topicSettings, wantedTopics } from "../../../workers/operator/plan-topics.ts";

const wanted = (env: Readonly<Record<string, string>> = {}) => wantedTopics(readConfig(topicSettings, env));

test("every topic and every dead-letter topic is wanted, dead letters twice as large", () => {
  const topics = new Map(wanted().map((topic) => [topic.name, topic]));
  expect([...topics.keys()]).toEqual([...topicNames, ...deadLetterTopics]);
  expect(topics.get("task-events")).toEqual({
    name: "task-events",
    partitions: 6,
    replication: null,
    configs: { "cleanup.policy": "delete", "retention.ms": "604800000", "max.message.bytes": "1048576" },
  });
  expect(topics.get("task-events-dlq")?.configs["max.message.bytes"]).toBe("2097152");
});

test("with three copies, two must have a write before it is acknowledged; with one, that one", () => {
  const minimum = (replication: string) =>
    wanted({ TOPIC_REPLICATION: replication })[0]?.configs["min.insync.replicas"];
  expect([minimum("3"), minimum("2"), minimum("1")]).toEqual(["2", "1", "1"]);
  expect(() => wanted({ TOPIC_REPLICATION: "many" })).toThrow(
    'TOPIC_REPLICATION must be a whole number from 1 to 10, not "many"',
  );
});

test("what is missing is created, what differs is altered, what is right is kept, other topics are left alone", () => {
  const [events, reminders, ...rest] = wanted();
  if (events === undefined || reminders === undefined) throw new Error("there are topics");
  const differs = { ...reminders, configs: { ...reminders.configs, "retention.ms": "1", "segment.ms": "7" } };
  const plan = planTopics(wanted(), [{ ...events, name: "stranger" }, differs, ...rest]);
  expect(plan.slice(0, 3)).toMatchObject([
    { kind: "create", topic: events },
    { kind: "alter", changes: [{ name: "retention.ms", from: "1", to: "604800000" }] },
    { kind: "keep" },
  ]);
  expect(plan).toHaveLength(wanted().length);
});

test("a setting the broker does not tell cannot differ", () => {
  const topics = wanted({ TOPIC_REPLICATION: "3" });
  const actual = topics.map(({ name, partitions, configs }) => {
    const { "min.insync.replicas": _, ...told } = configs;
    return { name, partitions, configs: told };
  });
  expect(new Set(planTopics(topics, actual).map(({ kind }) => kind))).toEqual(new Set(["keep"]));
});

test("fewer or more partitions are refused, whatever else differs", () => {
  for (const partitions of [3, 12]) {
    const actual = wanted().map((topic) => ({ ...topic, partitions, configs: { "retention.ms": "1" } }));
    for (const step of planTopics(wanted(), actual))
      expect(step).toMatchObject({
        kind: "refuse",
        reason: expect.stringContaining(`it has ${partitions} partitions`),
      });
  }
});
