import type { Log } from "../../shared/role/log.ts";
import type { Message } from "../../shared/messages/message.ts";
import type { OutboxRow, WrittenBy } from "../../shared/outbox/outbox.ts";
import { Problem } from "../../shared/problem.ts";
import type { WriteDeps } from "./write-task.ts";

type EncodeDeps = Readonly<{
  outboxRow: (message: Message, by: WrittenBy) => OutboxRow;
  recordFailure: (failed: Readonly<{ message: Message; error: unknown; by: WrittenBy }>) => Promise<void>;
  notify: () => void;
  log: Log;
}>;

/**
 * Makes the outbox row of an event. One that cannot be encoded is a bug here, not of the one who asked: it is set aside
 * for the dead-letter topic, and the write answers INTERNAL without having happened.
 */
export function makeEncodeEvent({ outboxRow, recordFailure, notify, log }: EncodeDeps): WriteDeps["encode"] {
  return async (message, { correlationId, traceparent, now }) => {
    const by: WrittenBy = { source: "task-service", correlationId, traceparent, now };
    try {
      return outboxRow(message, by);
    } catch (error) {
      log.error("encode_failed", { type: message.type, subject: message.subject, correlationId, error });
      await recordFailure({ message, error, by });
      notify();
      throw new Problem("INTERNAL", undefined, { cause: error });
    }
  };
}
