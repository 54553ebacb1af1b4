import type { Log } from "../log.ts";
import type { Db } from "../postgres/db.ts";
import type { GroupName } from "../topics.ts";
import { sleep } from "../wait.ts";
import { makeWake } from "./wake.ts";

/** The channel that says: something in `consumer_controls`, or a queue, was changed from outside. */
export const controlsChannel = "consumer_controls";
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
    heard: () => void;
  }>,
) {
  const { db, group, log, stop } = of;
  let paused = false;
  let obeyed: string | null = null;
  const look = makeWake();
  const opened = makeWake();

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
    if (!paused) opened.now();
  };

  const run = async () => {
    const listener = db
      .listen?.(controlsChannel, () => {
        look.now();
        of.heard();
      })
      .catch((error: unknown) => log.warn("controls_not_heard", { error, note: "they are still polled" }));
    while (!stop.aborted) {
      const heard = look.next();
      // What cannot be read stays as it was known last.
      await read().catch((error: unknown) => log.debug("controls_unknown", { error }));
      await Promise.race([heard, sleep(pollMs, stop)]);
    }
    opened.now();
    await (await listener)?.[Symbol.asyncDispose]();
  };

  return {
    run,
    isPaused: () => paused,
    /** Settles when the group is not paused, or stops. */
    open: async () => {
      while (paused && !stop.aborted) await opened.next();
    },
  };
}
export type Controls = ReturnType<typeof makeControls>;
