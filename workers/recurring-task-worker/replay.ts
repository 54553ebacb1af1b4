// Run by `ops replay recurring-task-worker`: what this group would do with messages it had, all of it undone.
import { replayCommand } from "../../shared/consume/replay/replay-command.ts";
import { followTasks } from "./follow-tasks.ts";

await replayCommand("recurring-task-worker", () => followTasks);
