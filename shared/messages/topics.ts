/** Every topic, once: creation, documentation and code read this table. Dead-letter topics are derived from it. */
export const topics = {
  "task-events": {
    writer: "task-service",
    key: "task id",
    records: ["TaskCreated", "TaskUpdated", "TaskCompleted", "TaskDeleted"],
  },
  reminders: {
    writer: "reminder-service",
    key: "task id",
    records: ["ReminderScheduled", "ReminderTriggered", "ReminderDismissed"],
  },
  "task-updates": {
    writer: "task-update-broadcaster",
    key: "user id",
    records: ["TaskChanged"],
  },
  "task-commands": {
    writer: "recurring-task-worker",
    key: "template id",
    records: ["CreateOccurrence", "RemoveOccurrence"],
  },
  "series-events": {
    writer: "recurring-task-worker",
    key: "template id",
    records: ["SeriesEnded"],
  },
  "reminder-commands": {
    writer: "reminder-scheduling-worker",
    key: "task id",
    records: ["SetTaskReminders"],
  },
} as const satisfies Record<string, TopicSpec>;

type TopicSpec = Readonly<{ writer: RoleName; key: string; records: readonly string[] }>;

export const roleNames = [
  "task-service",
  "recurring-task-worker",
  "reminder-scheduling-worker",
  "reminder-service",
  "notification-service",
  "task-update-broadcaster",
  "outbox-relay",
  "ui-gateway",
  "operator",
] as const;
export type RoleName = (typeof roleNames)[number];

/**
 * The group of a role is its name. Each has its own dead-letter topic, so a failure in one is never handed to another.
 */
export const consumerGroups = {
  "task-service": ["task-commands"],
  "recurring-task-worker": ["task-events"],
  "reminder-scheduling-worker": ["task-events"],
  "reminder-service": ["reminder-commands", "task-events"],
  "notification-service": ["reminders"],
  "task-update-broadcaster": ["task-events", "reminders"],
} as const satisfies Partial<Record<RoleName, readonly TopicName[]>>;

/** Sends every record to Kafka, dead letters included: what the writers put into the outbox. */
export const publisher: RoleName = "outbox-relay";

/** What roles read without a group: every instance sees every record. */
export const followedTopics = { "ui-gateway": ["task-updates"] } as const satisfies Partial<
  Record<RoleName, readonly TopicName[]>
>;

export type TopicName = keyof typeof topics;
export type GroupName = keyof typeof consumerGroups;
export const topicNames = Object.keys(topics) as readonly TopicName[];
export const groupNames = Object.keys(consumerGroups) as readonly GroupName[];

/**
 * Groups in which nothing follows from a plain new task: one without due time, pattern and template, as its headers say
 * (`isPlainCreation`). They pass over it without decoding, transaction or inbox row, so nobody may wait for that row.
 */
export const groupsPassingOverPlain: readonly GroupName[] = ["recurring-task-worker"];

/** Where a group puts what it cannot handle, or a producer (`task-events`) what it cannot publish. */
export function deadLetterTopic(of: GroupName | TopicName): `${string}-dlq` {
  return `${of}-dlq`;
}

/** Dead-letter topics: one per group, and one per topic for what the producer side refuses. */
export const deadLetterTopics: readonly string[] = [...groupNames, ...topicNames].map(deadLetterTopic);

export const defaultPartitions = 6;
export const defaultRetentionMs = 7 * 24 * 60 * 60 * 1000;
/** The largest batch a topic takes, in bytes. Dead-letter topics take twice that: the record plus its story. */
export const maxMessageBytes = 1_048_576;
