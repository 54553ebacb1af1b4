// A role that takes as long to load its modules as on a busy machine.
import "../../shared/role/catch-signals.ts";
import { runRole } from "../../shared/role/role.ts";

process.stdout.write("loading\n");
await Bun.sleep(500);
await runRole(
  "outbox-relay",
  {},
  ({ signal }) => new Promise((resolve) => signal.addEventListener("abort", () => resolve())),
);
