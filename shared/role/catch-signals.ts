// The first import of every role: loading the others takes a second or two on a busy machine, and a signal that nobody
// listens for ends the process with 143, which reads like a crash. The one module whose import changes something.
import { earlySignals } from "./early-signals.ts";

for (const name of ["SIGTERM", "SIGINT"] as const) process.on(name, () => earlySignals.push(name));
