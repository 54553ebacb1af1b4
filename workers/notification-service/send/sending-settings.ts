import { integer } from "../../../shared/role/config.ts";

export const sendingSettings = {
  /** How many late reminders a person is told per second and channel. */
  latePerSecond: integer("NOTIFY_LATE_PER_SECOND", 5, { min: 1, max: 1_000 }),
  /** A webhook that has failed for so long without a success between is given up. */
  disableAfterHours: integer("NOTIFY_DISABLE_AFTER_HOURS", 120, { min: 1, max: 8_760 }),
  /** How long what was delivered, failed, dropped or cancelled is kept. */
  keepDays: integer("NOTIFY_KEEP_DAYS", 30, { min: 1, max: 3_650 }),
};
