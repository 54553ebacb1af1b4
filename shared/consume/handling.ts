import type { Headers } from "../messages/message.ts";
import type { makeDependency } from "./failure/dependency.ts";
import type { FloodGuard } from "./failure/flood-guard.ts";
import type { ConsumerMeters } from "./meters.ts";
import type { WorkParkedKey } from "./parking/work-parked-key.ts";
import type { Wake } from "../waiting/wake.ts";

/** All that handling a message needs, in a lane or in a queue. Built once, when the group's inbox epoch is known. */
export type HandlingContext = WorkParkedKey &
  Readonly<{
    dependency: ReturnType<typeof makeDependency>;
    /** Whether a record can concern the group, by its headers. */
    concerns: (headers: Headers) => boolean;
    flood: FloodGuard;
    meters: ConsumerMeters;
    /** Called when the outbox has news. */
    notify: () => void;
    /** For news of the queues. */
    wake: Wake;
    /** Nothing more is begun; `stop` cuts off the handlers that run. */
    ending: AbortSignal;
  }>;
