// The gateway for a runtime that listens by itself (`deno serve`): the same role as main.ts, whose `fetch` is exported
// in place of listening. It needs what main.ts needs: Postgres, Kafka and Redis by raw TCP. Its metrics are at
// METRICS_PORT as ever.
import "../../shared/role/catch-signals.ts";
import { listenHere } from "../../shared/http/listen/listen.ts";
import { serveElsewhere } from "./serve-elsewhere.ts";

const fetch = serveElsewhere(listenHere);
// Not awaited: a role runs until it is told to stop, and the runtime listens once this module is loaded.
void import("./main.ts");

// oxlint-disable-next-line import/no-default-export -- what such a runtime looks for
export default { fetch };
