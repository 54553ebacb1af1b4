import type { Log } from "../../shared/log.ts";
import type { Channel } from "./channel.ts";

/** One log line per notification, ids only: what a person wrote stays out of logs. */
export function makeLogChannel(log: Log): Channel {
  return {
    name: "log",
    send: ({ id, userId, reminderId, taskId }, attempt) => {
      log.info("notification", { notificationId: id, userId, reminderId, taskId, attempt });
      return Promise.resolve({ outcome: "delivered" });
    },
  };
}
