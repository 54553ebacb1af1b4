import type { BatchHandler } from "../../shared/consume/handler.ts";
import { foldBatch } from "./fold-batch.ts";
import { taskIdOf, viewEventOf } from "./fold-view.ts";
import { readToldFloor } from "../../shared/postgres/told-floor.ts";
import { loadViews, saveViews } from "./store-views.ts";

/**
 * Folds a batch of task and reminder events into their views and tells what changed: one select, one write, however
 * long the batch. Replay is safe because folding what is folded changes nothing and so tells nothing. Order per task
 * holds: the row's lock is taken before the outbox id is drawn.
 */
export function makeBroadcastChanges(options: { countForeign: (type: string) => void }): BatchHandler {
  return async (messages, { tx, log }) => {
    const taskIds = new Set(messages.map(viewEventOf).flatMap((event) => (event === null ? [] : [taskIdOf(event)])));
    const [loaded, floor] = await Promise.all([loadViews(tx, [...taskIds]), readToldFloor(tx)]);
    const { answers, changed, foreign } = foldBatch(messages, loaded, floor);
    await saveViews(tx, changed, loaded);
    for (const { id, type, subject } of foreign) {
      options.countForeign(type);
      log.warn("user_differs", { id, type, subject });
    }
    return answers;
  };
}
