import type { Sql } from "../../shared/postgres/db.ts";
import { preferencesOf } from "../../shared/preferences/read-preferences.ts";
import type { ExportDeps } from "./export-calendar.ts";
import { readSeriesParts, readZones } from "./read-export.ts";
import { readOwnAlarms } from "./read-own-alarms.ts";

/** What an export reads beside the tasks themselves. */
export function exportReaders(db: Readonly<{ sql: Sql }>): Omit<ExportDeps, "listTasks" | "onBreak"> {
  return {
    readZones: readZones(db),
    readSeriesParts: readSeriesParts(db),
    readOwnAlarms: readOwnAlarms(db),
    readPreferences: (userId) => preferencesOf(db.sql, userId),
  };
}
