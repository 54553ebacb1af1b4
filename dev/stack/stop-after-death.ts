// Started by a death watch once the process that opened it is gone: stops what that one had recorded in the directories
// named. A run that began meanwhile does the same; both only ever touch the processes recorded before.
import { stopRecorded } from "./stop-recorded.ts";

for (const directory of process.argv.slice(2)) await stopRecorded(directory, 10_000);
