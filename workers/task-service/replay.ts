// Run by `ops replay task-service`: what this group would do with messages it had, all of it undone.
import { oneByOne } from "../../shared/consume/handler.ts";
import { replayCommand } from "../../shared/consume/replay/replay-command.ts";
import { makeHandleTaskCommands } from "./handle-task-commands.ts";

await replayCommand("task-service", () => oneByOne(makeHandleTaskCommands(() => {})));
