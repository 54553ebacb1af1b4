// A system takes nine seconds to start; these share one, in this order, each with people of its own.
import { gateway, system } from "./everyday-system.ts";
import { mainPath } from "./main-path.ts";
import "./recurrence.ts";
import "./reminders.ts";
import "./restore.ts";
import "./typed-client.ts";
import "./reference-examples.ts";
import "./fuzz-api.ts";
import "./own-writes.ts";
import "./real-clients.ts";
import "./runtimes.ts";

mainPath({
  get gateway() {
    return gateway;
  },
  get system() {
    return system;
  },
});
