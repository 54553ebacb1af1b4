// Run by `ops replay reminder-service`: what this group would do with messages it had, all of it undone.
import { replayCommand } from "../../shared/consume/replay/replay-command.ts";
import { makeKeepReminders } from "./keep-reminders.ts";

await replayCommand("reminder-service", () => makeKeepReminders({ countForeign: () => {} }));
