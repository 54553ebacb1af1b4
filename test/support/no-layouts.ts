import type { Layouts } from "../../workers/outbox-relay/layouts.ts";

/** For a relay over topics whose partitions are never changed. */
export const noLayouts: Pick<Layouts, "known" | "settle"> = {
  known: () => new Map(),
  settle: () => Promise.resolve(),
};
