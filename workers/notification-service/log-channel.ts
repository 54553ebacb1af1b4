import type { Log } from "../../shared/log.ts";
import type { Channel } from "./channel.ts";

/** One log line per notification, ids only: what a person wrote stays out of logs. */
export function makeLogChannel(log: Log): Channel {
  return {
    name: "log",
    send: ({ id, userId, reminders }, attempt) => {
      const [first] = reminders;
      const one = reminders.length === 1 ? { reminderId: first?.reminderId, taskId: first?.taskId } : {};
      log.info("notification", { notificationId: id, userId, reminders: reminders.length, ...one, attempt });
      return Promise.resolve({ outcome: "delivered" });
    },
  };
}
