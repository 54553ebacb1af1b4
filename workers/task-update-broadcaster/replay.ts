// Run by `ops replay task-update-broadcaster`: what this group would do with messages it had, all of it undone.
import { replayCommand } from "../../shared/consume/replay/replay-command.ts";
import { makeBroadcastChanges } from "./broadcast-changes.ts";

await replayCommand("task-update-broadcaster", () => makeBroadcastChanges({ countForeign: () => {} }));
