import type { Db } from "../../shared/postgres/db.ts";
import { openBatch } from "./batch/open-batch.ts";
import { openSeries } from "./store-series.ts";

/** The changes that are more than one statement. */
export function taskTransactions(db: Pick<Db, "transaction">) {
  return { openSeries: openSeries(db), openBatch: openBatch(db) };
}
