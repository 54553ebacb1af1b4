import type { Sql, Tx } from "../../shared/postgres/db.ts";
import { Problem } from "../../shared/problem.ts";
import { uuidV7 } from "../../shared/uuid.ts";

/** Who asks for a change, by which way, and why. */
export type ChangeAuthor = Readonly<{ who: string; via: "cli" | "http"; reason: string | null }>;

type AuditState = "running" | "done" | "failed";
type AuditEntry = Readonly<{
  id: string;
  at: Date;
  who: string;
  via: string;
  action: string;
  reason: string | null;
  plan: unknown;
  state: AuditState;
  progress: Readonly<Record<string, unknown>>;
  endedAt: Date | null;
}>;

/**
 * Writes down a change that is one transaction, in that transaction: it is audited exactly when it is done. Resolves
 * with the id.
 */
export async function auditDone(
  tx: Tx,
  by: ChangeAuthor,
  change: Readonly<{ action: string; plan: unknown; progress?: unknown }>,
): Promise<string> {
  const id = uuidV7();
  await tx`
    insert into audit (id, who, via, action, reason, plan, state, progress, ended_at)
    values (${id}, ${by.who}, ${by.via}, ${change.action}, ${by.reason}, ${JSON.stringify(change.plan)}::jsonb, 'done',
      ${JSON.stringify(change.progress ?? {})}::jsonb, clock_timestamp())`;
  return id;
}

/** Writes down a change that takes many transactions before its first; see `auditProgress` and `auditEnd`. */
export async function auditBegin(
  sql: Sql | Tx,
  by: ChangeAuthor,
  change: Readonly<{ id: string; action: string; plan: unknown }>,
): Promise<void> {
  await sql`
    insert into audit (id, who, via, action, reason, plan, state)
    values (${change.id}, ${by.who}, ${by.via}, ${change.action}, ${by.reason}, ${JSON.stringify(change.plan)}::jsonb, 'running')`;
}

/**
 * Moves a running change on from `before` to `after`, in the transaction of the step where there is one. Rejects with
 * REFUSED when another process has moved it meanwhile: then that one goes on, and this one must not.
 */
export async function auditProgress(
  sql: Sql | Tx,
  id: string,
  { before, after }: Readonly<{ before: unknown; after: unknown }>,
): Promise<void> {
  const rows = await sql`
    update audit set progress = ${JSON.stringify(after)}::jsonb, state = 'running', ended_at = null
    where id = ${id} and progress = ${JSON.stringify(before)}::jsonb returning id`;
  if (rows.length === 0) throw new Problem("REFUSED", `another process is at work on ${id}`);
}

export async function auditEnd(sql: Sql | Tx, id: string, state: "done" | "failed", error?: string): Promise<void> {
  await sql`
    update audit set state = ${state}, ended_at = clock_timestamp(),
      progress = progress || ${JSON.stringify(error === undefined ? {} : { error })}::jsonb
    where id = ${id}`;
}

/**
 * Runs a change that is not one transaction between its audit row and the row's end, so that whatever it did is on
 * record, also when it fails or is killed half-way.
 */
export async function audited<T>(
  sql: Sql,
  by: ChangeAuthor,
  change: Readonly<{ action: string; plan: unknown }>,
  work: (id: string) => Promise<T>,
): Promise<T> {
  const id = uuidV7();
  await auditBegin(sql, by, { id, ...change });
  try {
    const result = await work(id);
    await auditEnd(sql, id, "done");
    return result;
  } catch (error) {
    // The failure itself is what the caller must hear of, also when the database has gone.
    await auditEnd(sql, id, "failed", String(error)).catch(() => {});
    throw error;
  }
}

/** Rejects with NOT_FOUND when there is no such change. */
export async function readAuditEntry(sql: Sql | Tx, id: string): Promise<AuditEntry> {
  const [entry] = await sql<AuditEntry[]>`
    select id, at, who, via, action, reason, plan, state, progress, ended_at as "endedAt" from audit where id = ${id}`;
  if (entry === undefined) throw new Problem("NOT_FOUND", `there is no change ${id} in the audit`);
  return entry;
}

/** The newest first. */
export async function listAudit(sql: Sql, limit: number): Promise<readonly AuditEntry[]> {
  return sql<AuditEntry[]>`
    select id, at, who, via, action, reason, plan, state, progress, ended_at as "endedAt"
    from audit order by at desc limit ${limit}`;
}
