// Run by `ops replay reminder-scheduling-worker`: what this group would do with messages it had, all of it undone.
import { replayCommand } from "../../shared/consume/replay/replay-command.ts";
import { makeWantReminders } from "./want-reminders.ts";

await replayCommand("reminder-scheduling-worker", () => makeWantReminders({ countForeign: () => {} }));
