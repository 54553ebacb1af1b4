import type { Member } from "../../messages/broker.ts";
import { settlesWithin } from "../../waiting/wait.ts";
import { makeClient, type GroupClient } from "./client.ts";
import { followAssignments } from "./follow-assignments.ts";
import type { Session, SessionEnd } from "./session.ts";
import { makeTakeRecords } from "./take-records.ts";
import { watchClient, watchLogs } from "./watch-client.ts";

/**
 * The life of one client: joins, guards what it delivers, feeds the lanes, commits what is durable. Settles when the
 * client is of no use any more or the role stops; by then it has left the group and, unless a handler would not end,
 * nothing of it runs.
 */
export async function runSession(of: Session): Promise<SessionEnd> {
  const client = makeClient(of);
  const { state, fail } = client;
  const { onRebalancing, onAssigned } = followAssignments(of, client, () => joined);
  const onRecords = makeTakeRecords(of, client);
  const join = () =>
    of.broker.join({ group: of.group, topics: of.topics, onFailed: fail, onRebalancing, onAssigned, onRecords });
  // A stop while they are counted ends the session before it has joined.
  const joined: Promise<Member> = client
    .count()
    .then(() => (state.over ? Promise.reject(new Error("over before it joined")) : join()));

  const stopped = () => client.end({ kind: "stopped" });
  of.stop.addEventListener("abort", stopped, { once: true });
  if (of.stop.aborted) stopped();
  joined.then((member) => {
    state.member = member;
    client.committer.soon();
    void watchClient(of, client);
    void watchLogs(of, client);
  }, fail);

  const why = await client.ended;
  of.stop.removeEventListener("abort", stopped);
  await leave(of, client, { why, joined });
  return why;
}

/** Lets what runs come to its end, commits it, and leaves the group. */
async function leave(
  of: Session,
  { lanes, committer }: GroupClient,
  { why, joined }: Readonly<{ why: SessionEnd; joined: Promise<Member> }>,
): Promise<void> {
  const { meters, log } = of;
  committer.stop();
  // Before a gap everything is in order: what was taken is still worked off. Otherwise only what runs now is.
  if (why.kind !== "gap") {
    lanes.pause();
    lanes.drop(() => true);
  }
  const drained = settlesWithin(of.timing.drainMs, lanes.idle());
  if (why.kind === "stopped" || why.kind === "gap" || why.kind === "grown") {
    // A handler that will not end now is cut off: its transaction is rolled back and its message delivered again.
    if (!(await drained) && why.kind === "stopped") of.cutOff();
    const committed = committer.commit().catch((error: unknown) => log.warn("last_commit_failed", { error }));
    await settlesWithin(2_000, committed);
  }
  // A client that failed leaves before its handlers have ended, so that others can take over; the inbox keeps effects
  // single.
  const left = joined
    .then((last) => last[Symbol.asyncDispose]())
    .catch((error: unknown) => log.debug("leave_failed", { error }));
  await settlesWithin(5_000, left);
  await drained;
  for (const name of of.topics) meters.head(name, 0);
  of.standing.clear();
  meters.owns(0);
}
