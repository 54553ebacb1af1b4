import type { Log } from "../../../shared/role/log.ts";
import type { ChannelSender, ToldReminder } from "./channel.ts";
import { hourMs, type ChannelDefinition } from "./channel-definition.ts";
import { localTime } from "./local-time.ts";

/** People who never said what they want are in the log too, so that a new installation shows that it works. */
export const logChannel: ChannelDefinition<unknown> = {
  unasked: "until chosen",
  rings: false,
  isInstant: false,
  hasBreaker: false,
  retry: { baseMs: 1_000, capMs: 60_000, maxAttempts: 12, forMs: hourMs },
  removed: null,
  targetOf: () => "",
  shown: (target) => target,
  open: (_, { log }) => makeLogChannel(log),
};

/** One log line per notification, ids and times only: what a person wrote stays out of logs. */
export function makeLogChannel(log: Log): ChannelSender {
  return {
    send: ({ id, userId, correlationId, reminders }, attempt) => {
      const [first] = reminders;
      const one = reminders.length === 1 && first !== undefined ? about(first) : {};
      log.info("notification", {
        notificationId: id,
        userId,
        correlationId,
        reminders: reminders.length,
        ...one,
        attempt,
      });
      return Promise.resolve({ outcome: "delivered" });
    },
  };
}

function about({ reminderId, taskId, remindAt, tz, dueOn }: ToldReminder) {
  const time = dueOn === null ? { remindAt: remindAt === null ? null : localTime(remindAt, tz) } : { dueOn };
  return { reminderId, taskId, ...time, tz };
}
