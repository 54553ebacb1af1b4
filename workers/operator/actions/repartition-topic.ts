import type { Admin } from "../../../shared/messages/broker.ts";
import { controlsChannel, topicsGrown } from "../../../shared/consume/controls.ts";
import { outboxChannel } from "../../../shared/outbox/outbox.ts";
import { layoutsChanged } from "../../../shared/outbox/topic-layouts.ts";
import type { Db, Sql, Tx } from "../../../shared/postgres/db.ts";
import { Problem } from "../../../shared/problem.ts";
import { pause, sleep } from "../../../shared/waiting/wait.ts";
import { auditBegin, auditEnd, auditProgress, readAuditEntry, type ChangeAuthor } from "../audit.ts";
import { beginStreamEpoch, topicsWithEpoch } from "../stream-epoch.ts";
import { readPlaces } from "../topic-drain.ts";
import type { RepartitionPlan } from "./repartition-plan.ts";

/** How far a repartition is. Until `drained` it can be aborted; once there are partitions they cannot be taken away. */
export type RepartitionStep = "held" | "drained" | "growing" | "grown" | "released" | "aborted";

type RepartitionDeps = Readonly<{
  db: Db;
  admin: Pick<Admin, "offsets" | "committed" | "addPartitions">;
  /** Groups that are not done by then end it: the topic goes on as it was. */
  drainMs?: number;
  /** Ends it likewise while that is possible. */
  signal: AbortSignal;
  /** Told after each step is on record. */
  onStep?: (step: RepartitionStep) => void;
}>;

export type RepartitionResult = Readonly<{
  id: string;
  topic: string;
  from: number;
  to: number;
  step: RepartitionStep;
  /** For how long nothing of the topic was published, by the database's clock. */
  pauseSeconds: number;
  steps: RepartitionProgress["steps"];
}>;

type RepartitionProgress = Readonly<{
  step: RepartitionStep;
  steps: readonly Readonly<{ step: RepartitionStep; at: string; who: string }>[];
}>;
type Operation = Readonly<{ id: string; topic: string; from: number; to: number; progress: RepartitionProgress }>;

const action = "topics repartition";
const defaultDrainMs = 60_000;
const lookEveryMs = 200;
/** Until a broker that was told to make partitions says that it has them. */
const growMs = 30_000;

/**
 * Gives a topic more partitions while everything runs, and keeps the order of every key: relays hold the topic's
 * messages back, its groups handle all that is in the log, partitions are added, a topic with clients' positions gets a
 * new epoch, and relays go on with producers that know of the partitions. Each step is on record before the next
 * begins, so that `id` of one that was cut off goes on where it was; of two processes at one operation only one gets
 * on. Rejects with REFUSED, everything as before, where the groups do not come to the end in time.
 */
export async function repartitionTopic(
  deps: RepartitionDeps,
  { id, plan, by }: Readonly<{ id: string; plan: RepartitionPlan | null; by: ChangeAuthor }>,
): Promise<RepartitionResult> {
  const { db, admin, signal } = deps;
  if (plan !== null) {
    if (plan.refusals.length > 0) throw new Problem("REFUSED", plan.refusals.join("; "));
    await hold(db, { id, plan, by });
    deps.onStep?.("held");
  }
  let now = await readOperation(db.sql, id);
  if (isOver(now)) throw new Problem("REFUSED", `${id} is over: it was ${now.progress.step}`);
  /** Another process has moved the operation on: this is not its end. */
  let isOvertaken = false;
  const step = async (to: RepartitionStep, also: (tx: Tx) => Promise<unknown> = async () => {}) => {
    try {
      now = await db.transaction(async (tx) => {
        const after = await advance(tx, now, to, by);
        await also(tx);
        return after;
      });
    } catch (error) {
      isOvertaken = error instanceof Problem;
      throw error;
    }
    deps.onStep?.(to);
  };
  try {
    if (now.progress.step === "held") {
      await drain(admin, now.topic, { withinMs: deps.drainMs ?? defaultDrainMs, signal });
      await step("drained");
    }
    if (now.progress.step === "drained") await step("growing");
    if (now.progress.step === "growing") {
      await admin.addPartitions(now.topic, now.to);
      await appear(admin, now.topic, now.to);
      await step("grown");
    }
    if (now.progress.step === "grown") {
      await db.sql`select pg_notify(${controlsChannel}, ${topicsGrown})`;
      // Before anything is published to the new partitions: a client's old position says nothing of them.
      if (topicsWithEpoch.has(now.topic)) await beginStreamEpoch(db.sql, now.topic);
      await step("released", async (tx) => {
        await release(tx, now, { grown: true });
        await auditEnd(tx, id, "done");
      });
    }
  } catch (error) {
    if (isOvertaken) throw error;
    const ended = await abortRepartition(deps, { id, by, why: String(error) }).catch(() => null);
    if (ended === null) throw new Error(`it is not over: \`ops topics repartition --resume ${id}\``, { cause: error });
    throw error;
  } finally {
    await db.sql`select pg_notify(${outboxChannel}, ${layoutsChanged})`.catch(() => {});
  }
  return resultOf(now);
}

/**
 * Ends a repartition, the topic as it was before. Rejects with REFUSED once partitions were added, and for one that is
 * over.
 */
export async function abortRepartition(
  { db, admin }: Pick<RepartitionDeps, "db" | "admin">,
  { id, by, why }: Readonly<{ id: string; by: ChangeAuthor; why: string }>,
): Promise<RepartitionResult> {
  const now = await readOperation(db.sql, id);
  const { step } = now.progress;
  if (isOver(now)) throw new Problem("REFUSED", `${id} is over: it was ${step}`);
  const hasGrown = step === "grown" || (await countPartitions(admin, now.topic)) > now.from;
  if (hasGrown && now.to > now.from)
    throw new Problem("REFUSED", `${now.topic} has its new partitions, which cannot be taken away: resume ${id}`);
  const ended = await db.transaction(async (tx) => {
    await release(tx, now, { grown: false });
    const after = await advance(tx, now, "aborted", by);
    await auditEnd(tx, id, "failed", why);
    return after;
  });
  await db.sql`select pg_notify(${outboxChannel}, ${layoutsChanged})`;
  return resultOf(ended);
}

/**
 * Puts the hold on record and takes the leases of all relays away, in one transaction. So what was on its way is marked
 * as published before it, and is in the log for the groups to handle; or never, and is sent again in its turn after the
 * release. Whoever takes a lease anew sees the hold.
 */
async function hold(
  db: Db,
  { id, plan, by }: Readonly<{ id: string; plan: RepartitionPlan; by: ChangeAuthor }>,
): Promise<void> {
  const { topic, from } = plan;
  try {
    await db.transaction(async (tx) => {
      await auditBegin(tx, by, { id, action, plan });
      await tx`
        insert into topic_layouts (topic, partitions, held_by, held_since) values (${topic}, ${from}, ${id}, clock_timestamp())
        on conflict (topic) do update set held_by = excluded.held_by, held_since = excluded.held_since`;
      // Waits for marks and renewals that run, and cannot meet them half-way: they lock rows in another order.
      await tx`lock table outbox_shards in exclusive mode`;
      await tx`update outbox_shards set owner = null, epoch = epoch + 1, expires_at = '-infinity'`;
      await advance(tx, { id, topic, from, to: plan.to, progress: noProgress }, "held", by);
    });
  } catch (error) {
    const isSecond =
      error instanceof Error && "constraint_name" in error && error.constraint_name === "audit_one_repartition";
    if (!isSecond) throw error;
    throw new Problem("REFUSED", "another repartition is not over: resume or abort it", { cause: error });
  }
}

const noProgress = {} as RepartitionProgress;

async function advance(tx: Tx, from: Operation, step: RepartitionStep, by: ChangeAuthor): Promise<Operation> {
  const [clock] = await tx<{ now: Date }[]>`select clock_timestamp() as now`;
  const entry = { step, at: (clock?.now ?? new Date(0)).toISOString(), who: by.who };
  const progress: RepartitionProgress = { step, steps: [...(from.progress.steps ?? []), entry] };
  await auditProgress(tx, from.id, { before: from.progress, after: progress });
  return { ...from, progress };
}

async function release(tx: Tx, { id, topic, to }: Operation, { grown }: Readonly<{ grown: boolean }>): Promise<void> {
  await tx`
    update topic_layouts set held_by = null, held_since = null,
      generation = generation + ${grown ? 1 : 0}, partitions = case when ${grown} then ${to} else partitions end
    where topic = ${topic} and held_by = ${id}`;
}

/** Settles when every group of the topic has committed all there is; nothing comes while it is held. */
async function drain(
  admin: RepartitionDeps["admin"],
  topic: string,
  { withinMs, signal }: Readonly<{ withinMs: number; signal: AbortSignal }>,
): Promise<void> {
  const until = performance.now() + withinMs;
  for (;;) {
    const left = (await readPlaces(admin, topic)).groups.filter(({ lag }) => lag > 0);
    if (left.length === 0) return;
    const who = left.map(({ group, lag }) => `${group} ${lag}`).join(", ");
    if (signal.aborted) throw new Error(`it was stopped while groups had not handled everything: ${who}`);
    if (performance.now() > until)
      throw new Problem("REFUSED", `after ${withinMs / 1000} s groups have not handled everything: ${who}`);
    await sleep(lookEveryMs, signal);
  }
}

async function appear(admin: RepartitionDeps["admin"], topic: string, partitions: number): Promise<void> {
  for (const until = performance.now() + growMs; (await countPartitions(admin, topic)) < partitions;) {
    if (performance.now() > until)
      throw new Error(`the broker does not say that ${topic} has ${partitions} partitions`);
    await pause(lookEveryMs);
  }
}

async function countPartitions(admin: RepartitionDeps["admin"], topic: string): Promise<number> {
  return (await admin.offsets(topic, "end")).size;
}

async function readOperation(sql: Sql, id: string): Promise<Operation> {
  const entry = await readAuditEntry(sql, id);
  if (entry.action !== action) throw new Problem("INVALID_REQUEST", `${id} is no repartition, it is ${entry.action}`);
  // Both were written by this file.
  const { topic, from, to } = entry.plan as RepartitionPlan;
  return { id, topic, from, to, progress: entry.progress as RepartitionProgress };
}

function resultOf({ id, topic, from, to, progress: { step, steps } }: Operation): RepartitionResult {
  const at = (place: number) => Date.parse(steps.at(place)?.at ?? "");
  return { id, topic, from, to, step, pauseSeconds: Math.round((at(-1) - at(0)) / 100) / 10, steps };
}

function isOver({ progress: { step } }: Operation): boolean {
  return step === "released" || step === "aborted";
}
