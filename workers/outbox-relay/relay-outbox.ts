import type { Producer } from "../../shared/messages/broker.ts";
import { sleep } from "../../shared/waiting/wait.ts";
import type { Db } from "../../shared/postgres/db.ts";
import type { Log } from "../../shared/role/log.ts";
import type { TellOutage } from "../../shared/role/outages.ts";
import { shardCount } from "../../shared/outbox/outbox.ts";
import { claim, type ClaimedMessage } from "./claim.ts";
import { claimInTurns } from "./claim-in-turns.ts";
import type { Layouts } from "./layouts.ts";
import type { Leases } from "./leases.ts";
import { makeMarker } from "./mark.ts";
import type { RelayMeters } from "./meters.ts";
import { makePollPace } from "./poll-pace.ts";
import { publish } from "./publish.ts";
import { holds, refuse } from "./refuse.ts";
import { makeTopicPauses } from "./topic-pauses.ts";
import { makeTurns, windowRows } from "./turns.ts";
import type { Wake } from "../../shared/waiting/wake.ts";

const pollMs = 100;
/** Between looks at whether marks are done. */
const markedMs = 10;
const rowsPerRound = 1000;
/** A first page that is small costs little where most of it turns out to be one user's, and has to wait. */
const rowsAtFirst = 128;
const bytesPerRound = 4_000_000;
/** With more than this acknowledged and unmarked, no more is claimed until the database takes marks again. */
const maxUnmarked = 20_000;

type RelayOutbox = Readonly<{
  db: Db;
  producer: Producer;
  instance: string;
  leases: Leases;
  layouts: Pick<Layouts, "known" | "settle">;
  wake: Wake;
  signal: AbortSignal;
  log: Log;
  meters: RelayMeters;
  /** Whether notifications of commits come through; without it the outbox is looked at every 100 ms. */
  isHeard?: () => boolean;
  /** Told what claims, marks and sends wait for. */
  tellOutage?: TellOutage;
  /** Told after every look at the outbox that worked. */
  onRound?: () => void;
  /** Told that the loop goes on, whether or not what it needs is there: at least once a minute. */
  onTurn?: () => void;
}>;

/**
 * Publishes the outbox for the shards held until `signal` is aborted; settles when the sends in flight have ended and
 * are marked. Rounds follow one another: claim, send, and mark behind. So no topic of a shard ever has two sends
 * unacknowledged, and per key the order of first appearances in Kafka is the order of ids. While a full round is sent,
 * the next one is read.
 */
export async function relayOutbox(deps: RelayOutbox): Promise<void> {
  const { db, leases, layouts, wake, signal, log, meters } = deps;
  const pauses = makeTopicPauses();
  const turns = makeTurns();
  const busy = new Set<number>();
  const forget = (rows: readonly ClaimedMessage[]): void => rows.forEach(({ id }) => busy.delete(id));
  const giveBack = (rows: readonly ClaimedMessage[]): void => {
    forget(rows);
    turns.unsent(rows);
  };
  await using marker = makeMarker({
    db,
    instance: deps.instance,
    log,
    onDone: forget,
    onLost: leases.lose,
    tellOutage: deps.tellOutage,
  });
  // The life of the server that was asked last: what was claimed from another may be lost, and is claimed again if it
  // is not.
  let life = "";
  let activeShards = shardCount;
  let failedClaims = 0;
  // Whether at least half of what was asked for last was there.
  let isFull = false;
  const { isHeard = () => false } = deps;
  const pace = makePollPace({
    // Nobody tells when a line may send more, or a topic is tried again.
    mayNotBeWoken: () => !isHeard() || turns.crowded() > 0 || pauses.paused().length > 0,
    untold: meters.untold,
  });
  let rested: Readonly<{ woken: boolean }> | null = null;

  const next = async (): Promise<readonly ClaimedMessage[]> => {
    const held = leases.held();
    const perShard = <T extends number>(total: T): number =>
      Math.ceil(total / Math.max(1, Math.min(activeShards, held.length)));
    const page = {
      leases: held,
      busy: [...busy],
      except: pauses.paused(),
      layouts: layouts.known(),
      rowsPerShard: perShard(rowsPerRound),
      bytesPerShard: perShard(bytesPerRound),
    };
    const rowsWanted = isFull ? rowsPerRound : rowsAtFirst;
    let rows = turns.crowded() > 0 ? [] : await claim(db, { ...page, rowsPerShard: perShard(rowsWanted) });
    if (turns.crowded() > 0 || !turns.fits(rows)) {
      await turns.refresh(db);
      const allowances = turns.allowances();
      rows = turns.share(await claimInTurns(db, { ...page, allowances, otherwise: windowRows, start: Math.random() }));
    }
    life = rows[0]?.life ?? life;
    isFull = rows.length * 2 >= (turns.crowded() > 0 ? rowsPerRound : rowsWanted);
    turns.sent(rows);
    meters.crowded(turns.crowded());
    // A backlog in few shards fills the next round as well as one in many.
    activeShards = new Set(rows.map(({ lease }) => lease.shard)).size || shardCount;
    for (const { id } of rows) busy.add(id);
    deps.onRound?.();
    return rows;
  };

  /** Whether all of them are acknowledged. */
  const send = async (rows: readonly ClaimedMessage[]): Promise<boolean> => {
    const { failure, complete } = await publish(rows, {
      producer: deps.producer,
      mayBeSent: (row) => row.life === life && leases.isHeld(row.lease),
      onPublished: (done) => {
        deps.onTurn?.();
        marker.add(done);
        for (const { id } of done) unsent.delete(id);
        meters.published(done);
      },
      onRefused: async (row, error) => {
        log.error("record_refused", { outboxId: row.id, topic: row.topic, error });
        meters.refused(row);
        await refuse(db, row, error instanceof Error ? causeOf(error) : String(error));
      },
      holds,
    });
    const topics = new Set(rows.map(({ topic }) => topic));
    deps.tellOutage?.("sends", failure);
    if (failure === null) pauses.succeeded(topics);
    else {
      pauses.failed(topics);
      meters.failed("send");
      log.warn("send_failed", { topics: [...topics], rows: rows.length, error: failure });
    }
    return complete;
  };
  // Claimed and not acknowledged: given back when the round is over.
  const unsent = new Map<number, ClaimedMessage>();

  /**
   * What was sent under a lease that is lost by now goes out again, and until its mark is refused no claim brings it:
   * what follows it would go to the new partitions first.
   */
  const areMarked = async (): Promise<boolean> => {
    while (marker.waiting() > 0 && !signal.aborted) {
      deps.onTurn?.();
      await sleep(markedMs, signal);
    }
    return marker.waiting() === 0;
  };

  let ahead: Promise<readonly ClaimedMessage[]> | null = null;
  while (!signal.aborted) {
    deps.onTurn?.();
    let rows: readonly ClaimedMessage[];
    try {
      await layouts.settle(areMarked);
      rows = await (ahead ?? next());
      if (failedClaims > 0) deps.tellOutage?.("claims", null);
      failedClaims = 0;
    } catch (error) {
      meters.failed("claim");
      deps.tellOutage?.("claims", error);
      if (failedClaims++ % 20 === 0) log.warn("claim_failed", { error });
      ahead = null;
      await sleep(pollMs + Math.random() * 400, signal);
      continue;
    }
    ahead = null;
    if (rested !== null) pace.looked({ ...rested, rows: rows.length });
    rested = null;
    if (rows.length === 0) {
      rested = { woken: await wake.rest(pace.restMs()) };
      continue;
    }
    for (const row of rows) unsent.set(row.id, row);
    const groups = apart(rows, pauses.isSuspect);
    const sending = Promise.all(groups.map(send));
    const more = isFull && marker.waiting() < maxUnmarked && !signal.aborted;
    const read = more ? next() : null;
    read?.catch(() => {});
    const clean = (await sending).every((sent) => sent);
    giveBack([...unsent.values()]);
    unsent.clear();
    if (clean) ahead = read;
    // What was read ahead may follow what was not sent: it is read again, behind it.
    else if (read) await read.then(giveBack, () => {});
    while (marker.waiting() >= maxUnmarked && !signal.aborted) {
      deps.onTurn?.();
      await sleep(pollMs, signal);
    }
  }
  if (ahead) await ahead.then(forget, () => {});
}

/**
 * One group for all topics in good standing and one for each suspect. They may share shards: order is promised per
 * topic and key.
 */
function apart(
  rows: readonly ClaimedMessage[],
  isSuspect: (topic: string) => boolean,
): readonly (readonly ClaimedMessage[])[] {
  const groups = Map.groupBy(rows, ({ topic }) => (isSuspect(topic) ? topic : ""));
  return [...groups.values()];
}

function causeOf(error: Error): string {
  return error.cause instanceof Error ? `${error.message}: ${error.cause.message}` : error.message;
}
