import type { Db } from "../../shared/postgres/db.ts";
import { afterOrigin, insertOutbox, outboxRow, type Encoder } from "../../shared/outbox/outbox.ts";
import type { Fire } from "../../shared/timers/due-rows.ts";
import { advanceSeries } from "./advance-series.ts";
import { askingId } from "./asking-id.ts";
import { originOf } from "./series-origin.ts";
import { saveSeries } from "./save-series.ts";
import { lockDueSeries, readTasks } from "./load-series.ts";

/**
 * Advances series whose last occurrence's due has passed: one transaction for the batch. The lock, the generation and
 * the database's clock decide; the new state has another generation, so nothing fires twice. A command has the id of
 * its occurrence and the time of the timer, so a second one would be dropped by its reader.
 */
export function makeFireSeries(of: {
  db: Pick<Db, "transaction">;
  codec: Encoder;
  /** Called after the commit of messages. */
  onWritten: () => void;
}): Fire {
  return async (batch) => {
    const fired = await of.db.transaction(async (tx) => {
      const { series, now } = await lockDueSeries(tx, batch);
      const tasks = await readTasks(
        tx,
        [...series.values()].map(({ templateId }) => templateId),
      );
      const advanced = [...series.values()].map((one) => ({
        before: one,
        wakeAt: one.wakeAt ?? now,
        ...advanceSeries({ series: one, tasks, at: now, by: "timer" }),
      }));
      const states = advanced.map((one) => one.series);
      await saveSeries(tx, states, series);
      const rows = advanced.flatMap(({ messages, wakeAt, before }) =>
        messages.map((told) => {
          const id = told.id ?? askingId(before, told.subject);
          const message = { ...told, id, time: wakeAt };
          const origin = originOf(tasks.get(before.templateId) ?? null);
          return outboxRow(of.codec, message, { source: "recurring-task-worker", ...afterOrigin(origin, id), now });
        }),
      );
      await insertOutbox(tx, rows);
      return {
        written: rows.length,
        late: advanced.map(({ series: { id }, wakeAt }) => ({ id, lateMs: now.getTime() - wakeAt.getTime() })),
      };
    });
    if (fired.written > 0) of.onWritten();
    return fired.late.map(({ id, lateMs }) => ({ id, outcome: "fired" as const, lateMs }));
  };
}
