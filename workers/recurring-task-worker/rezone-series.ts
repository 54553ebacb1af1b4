import { afterOrigin, insertOutbox, outboxRow, type Encoder } from "../../shared/outbox/outbox.ts";
import type { Db } from "../../shared/postgres/db.ts";
import { Problem } from "../../shared/problem.ts";
import type { FoldedTask } from "../../shared/tasks/fold-task.ts";
import type { RezoneStep } from "../../shared/zones/rezone.ts";
import { advanceSeries } from "./advance-series.ts";
import { askingId } from "./asking-id.ts";
import { lockSeriesAfter, readTasks } from "./load-series.ts";
import { rezoneDates } from "./rezone-dates.ts";
import { saveSeries } from "./save-series.ts";
import { originOf } from "./series-origin.ts";
import { changedExceptions, saveExceptions } from "./store-exceptions.ts";
import { lastSchedule, type TemplateSchedule } from "./template-schedule.ts";

const perStep = 100;

/**
 * Computes the instants of series again from their local starts: when occurrences start and pass, when moved ones are
 * due, when the series goes on. One transaction per step, under the locks of the series. Occurrences that are due at
 * once by that are requested, as by the timer. task-service moves the tasks themselves.
 */
export function rezoneSeries(of: {
  db: Pick<Db, "transaction">;
  codec: Encoder;
  /** Called after the commit of messages. */
  onWritten: () => void;
  limit?: number;
}): RezoneStep {
  const limit = of.limit ?? perStep;
  return async (after) => {
    const { ids, written } = await of.db.transaction(async (tx) => {
      const { series, now } = await lockSeriesAfter(tx, { after, limit });
      const templates = [...series.values()].map(({ templateId }) => templateId);
      const tasks = await readTasks(tx, templates);
      const moved = [...series.values()].flatMap((before) => {
        const template = scheduleOf(tasks.get(before.templateId) ?? null);
        const anew = template === null ? before : rezoneDates(before, template, now);
        if (anew === before) return [];
        return [{ before, anew, ...advanceSeries({ series: anew, tasks, at: now, by: "timer" }) }];
      });
      for (const { before, anew } of moved) {
        await saveExceptions(tx, before.id, changedExceptions(before.exceptions, anew.exceptions));
      }
      await saveSeries(
        tx,
        moved.map((one) => one.series),
        series,
      );
      const rows = moved.flatMap(({ before, messages }) =>
        messages.map((told) => {
          const id = told.id ?? askingId(before, told.subject);
          const origin = originOf(tasks.get(before.templateId) ?? null);
          const by = { source: "recurring-task-worker", ...afterOrigin(origin, id), now } as const;
          return outboxRow(of.codec, { ...told, id }, by);
        }),
      );
      await insertOutbox(tx, rows);
      return { ids: [...series.keys()], written: rows.length };
    });
    if (written > 0) of.onWritten();
    return ids.length < limit ? null : (ids.at(-1) ?? null);
  };
}

/** The schedule a template has or had; `null` without one, and for a pattern this build does not understand. */
function scheduleOf(task: FoldedTask | null): TemplateSchedule | null {
  try {
    return lastSchedule(task);
  } catch (error) {
    if (error instanceof Problem && error.code === "INVALID_REQUEST") return null;
    throw error;
  }
}
