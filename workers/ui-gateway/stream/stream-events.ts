import { staleSeconds, streamStates, type StreamState } from "./freshness.ts";
import { resetReasons, type ResetReason } from "./reset-reasons.ts";

/** Why `event: auth` ends a stream. */
const authReasons = ["expired", "session-ended"] as const;
/** Why `event: drain` ends a stream. */
const drainReasons = ["age", "stopping", "replaced"] as const;

/** The data of each event about the stream itself. */
export type NoticeData = Readonly<{
  cursor: Readonly<{ cursor: string }>;
  reset: Readonly<{ reason: ResetReason; cursor: string }>;
  state: Readonly<{ state: StreamState }>;
  auth: Readonly<{ reason: (typeof authReasons)[number] }>;
  drain: Readonly<{ reason: (typeof drainReasons)[number] }>;
}>;

type StreamEventEntry = Readonly<{
  /** For the reference: text with code between backticks. */
  says: string;
  /** The values of each field of the data, `text` for any; `null` where the data is a TaskChanged. */
  data: Readonly<Record<string, "text" | readonly string[]>> | null;
}>;

/** Every event of `GET /v1/stream`, by its name: the reference and the AsyncAPI document read this table. */
export const streamEvents = {
  "task.changed": {
    says:
      "A change: the whole task with its reminders in `payload`, and its `view_version`. Replace what you have of the task, unless you " +
      "have that `view_version` or a higher one, or a higher `version`. A task with `deleted_at` is gone.",
    data: null,
  },
  cursor: { says: "`{cursor}`: the position of a quiet stream.", data: { cursor: "text" } },
  reset: {
    says: "`{reason, cursor}`: changes were missed. Read the lists again, and go on from there.",
    data: { reason: Object.keys(resetReasons), cursor: "text" },
  },
  state: {
    says:
      `\`{state}\`: \`stale\` when this instance has not heard of new changes for ${staleSeconds} s, so that there may be some; ` +
      "`live` when it has again.",
    data: { state: streamStates },
  },
  auth: {
    says: "`{reason}`: the session ended or its token has expired. Sign in again.",
    data: { reason: authReasons },
  },
  drain: {
    says:
      "`{reason}`: this instance stops (`stopping`), the stream is old (`age`), or a newer one of yours took its place (`replaced`). " +
      "Connect again after the time that `retry` says; the browser does so by itself.",
    data: { reason: drainReasons },
  },
} as const satisfies Readonly<Record<"task.changed" | keyof NoticeData, StreamEventEntry>>;
