import type { Db, Tx } from "./db.ts";

/** Why a new part of the history begins. `effects`, `events`: Kafka showed that the database has lost some. */
type HistoryReason = "timeline" | "system" | "effects" | "events" | `operator: ${string}`;

/** The newest row of `database_history`, and whether this call wrote it. */
type DatabaseHistoryRow = Readonly<{ number: number; began: boolean; reason: string }>;

/**
 * Looks whether the database is another than the one it was, and notes it: promoted or recovered (its timeline), made
 * from a dump (its system). `evidence` is what showed that it lost something; it counts once in each life of the
 * server, an operator's word always. With a new row comes a new epoch of every stream, in the same commit: whoever
 * follows one reads everything again, since what was told may be lost. Any number may call it. Fails on a replica.
 * Where the server tells neither timeline nor system, evidence and an operator's word are all there is.
 */
export async function noteHistory(
  db: Pick<Db, "transaction">,
  evidence: Exclude<HistoryReason, "timeline" | "system"> | null = null,
): Promise<DatabaseHistoryRow> {
  return db.transaction(async (tx) => {
    const known = await compare(tx);
    const reason = reasonOf(known, evidence);
    if (reason === null) return { number: known.number, began: false, reason: known.reason };
    // Only whoever has something to write waits; what another has just noted is not noted twice.
    await tx`select pg_advisory_xact_lock(hashtextextended('database_history', 0))`;
    const now = await compare(tx);
    const still = reasonOf(now, evidence);
    if (still === null) return { number: now.number, began: false, reason: now.reason };
    await tx`
      insert into database_history (number, life, timeline, system, reason)
      values (${now.number + 1}, ${now.life}, ${now.timeline}, ${now.system}, ${still})`;
    await tx`
      update stream_epoch set epoch = left(md5(gen_random_uuid()::text), 10), created_at = clock_timestamp()`;
    return { number: now.number + 1, began: true, reason: still };
  });
}

type HistoryComparison = Readonly<{
  number: number;
  reason: string;
  life: string;
  timeline: string;
  system: string;
  sameLife: boolean;
  sameTimeline: boolean;
  sameSystem: boolean;
}>;

async function compare(tx: Tx): Promise<HistoryComparison> {
  const [row] = await tx<HistoryComparison[]>`
    select number, reason, now.life, now.timeline, now.system, last.life = now.life as "sameLife",
      last.timeline = now.timeline as "sameTimeline", last.system = now.system as "sameSystem"
    from (select * from database_history order by number desc limit 1) as last,
      (select server_life() as life, database_timeline() as timeline, database_system() as system) as now`;
  if (row === undefined) throw new Error("database_history is empty: run `ops migrate`");
  return row;
}

function reasonOf(known: HistoryComparison, evidence: HistoryReason | null): HistoryReason | null {
  if (evidence !== null && evidence.startsWith("operator: ")) return evidence;
  if (!known.sameSystem) return "system";
  if (!known.sameTimeline) return "timeline";
  return evidence !== null && !known.sameLife ? evidence : null;
}
