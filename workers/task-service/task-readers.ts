import { chosenZone, choicesOf } from "../../shared/preferences/read-preferences.ts";
import type { Db } from "../../shared/postgres/db.ts";
import { awaitTasks } from "../../shared/tasks/await-tasks.ts";
import { exportReaders } from "./export-readers.ts";
import { makeBatches } from "./make-batches.ts";
import { countTasks, findTasks } from "./find/find-tasks.ts";
import { readTaskReminders } from "./find/read-task-reminders.ts";
import { readTags } from "./find/tag-routes.ts";
import { listTasks, readTask } from "./read-tasks.ts";
import { readRestoring } from "./restore/read-restoring.ts";

/** What the routes read, each by one statement. */
export function taskReaders(db: Db) {
  return {
    readTask: readTask(db),
    listTasks: listTasks(db),
    findTasks: findTasks(db),
    countTasks: countTasks(db),
    readTaskReminders: readTaskReminders(db),
    listTags: readTags(db),
    readRestoring: readRestoring(db),
    readExport: exportReaders(db),
    readZone: (userId: string) => chosenZone(db.sql, userId),
    // Creates come together, so do the preferences they ask for.
    readChoices: makeBatches(choicesOf(db), { maxItems: 256, inFlight: 2, maxWaiting: 10_000 }),
    awaitTasks: (asked: Parameters<typeof awaitTasks>[1]) => awaitTasks(db.sql, asked),
  };
}
