import type { Log } from "../role/log.ts";
import type { Db } from "../postgres/db.ts";
import type { GroupName } from "../messages/topics.ts";
import { makeWake } from "../waiting/wake.ts";

/** The channel that says: something in `consumer_controls`, or a queue, was changed from outside. */
export const controlsChannel = "consumer_controls";
/** What is sent on it when topics have got more partitions: members look at once instead of within 10 s. */
export const topicsGrown = "topics";
const pollMs = 5_000;

/** What an operator told a group, as known to one member. */
export function makeControls(
  of: Readonly<{
    db: Pick<Db, "sql"> & Partial<Pick<Db, "listen">>;
    group: GroupName;
    log: Log;
    stop: AbortSignal;
    /** Called once for each time an operator lets a flood go. */
    released: () => void;
    changed: (paused: boolean) => void;
    /** Called at each notification, whatever it is about. */
    heard: (what: string) => void;
  }>,
) {
  const { db, group, log, stop } = of;
  let paused = false;
  let obeyed: string | null = null;
  const look = makeWake();
  let opened = Promise.withResolvers<void>();
  const open = () => {
    opened.resolve();
    opened = Promise.withResolvers();
  };

  const read = async () => {
    const [row] = await db.sql<{ paused: boolean; release: boolean; at: string }[]>`
      select paused, release_flood as release, set_at::text as at from consumer_controls where group_name = ${group}`;
    const at = row?.at ?? "never";
    if (obeyed !== null && at !== obeyed && row?.release === true) of.released();
    obeyed = at;
    if (paused === (row?.paused ?? false)) return;
    paused = !paused;
    of.changed(paused);
    log.warn(paused ? "paused_by_operator" : "resumed_by_operator");
    if (!paused) open();
  };

  const run = async () => {
    const listener = db
      .listen?.(controlsChannel, (what) => {
        look.now();
        of.heard(what);
      })
      .catch((error: unknown) => log.warn("controls_not_heard", { error, note: "they are still polled" }));
    while (!stop.aborted) {
      // What cannot be read stays as it was known last.
      await read().catch((error: unknown) => log.debug("controls_unknown", { error }));
      await look.rest(pollMs, stop);
    }
    open();
    await (await listener)?.[Symbol.asyncDispose]();
  };

  return {
    run,
    isPaused: () => paused,
    /** Settles when the group is not paused, or stops. */
    open: async () => {
      while (paused && !stop.aborted) await opened.promise;
    },
  };
}
