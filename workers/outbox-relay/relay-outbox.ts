import type { Producer } from "../../shared/broker.ts";
import { sleep } from "../../shared/wait.ts";
import type { Db } from "../../shared/postgres/db.ts";
import type { Log } from "../../shared/log.ts";
import { shardCount } from "../../shared/outbox/outbox.ts";
import { claim, type Claimed } from "./claim.ts";
import { claimInTurns } from "./claim-in-turns.ts";
import type { Leases } from "./leases.ts";
import { makeMarker } from "./mark.ts";
import type { Meters } from "./meters.ts";
import { publish } from "./publish.ts";
import { holds, refuse } from "./refuse.ts";
import { makeTopicPauses } from "./topic-pauses.ts";
import { makeTurns, windowRows } from "./turns.ts";
import type { Wake } from "./wake.ts";

const pollMs = 100;
const rowsPerRound = 1000;
/** A first page that is small costs little where most of it turns out to be one user's, and has to wait. */
const rowsAtFirst = 128;
const bytesPerRound = 4_000_000;
/** With more than this acknowledged and unmarked, no more is claimed until the database takes marks again. */
const maxUnmarked = 20_000;

export type RelayOutbox = Readonly<{
  db: Db;
  producer: Producer;
  instance: string;
  leases: Leases;
  wake: Wake;
  signal: AbortSignal;
  log: Log;
  meters: Meters;
  /** Told after every look at the outbox that worked. */
  onRound?: () => void;
  /** Told that the loop goes on, whether or not what it needs is there: at least once a minute. */
  onTurn?: () => void;
}>;

/**
 * Publishes the outbox for the shards held until `signal` is aborted; settles when the sends in flight have ended and are marked.
 * Rounds follow one another: claim, send, and mark behind. So no shard ever has two sends unacknowledged, and per key the
 * order of first appearances in Kafka is the order of ids. While a full round is sent, the next one is read.
 */
export async function relayOutbox(deps: RelayOutbox): Promise<void> {
  const { db, leases, wake, signal, log, meters } = deps;
  const pauses = makeTopicPauses();
  const turns = makeTurns();
  const busy = new Set<number>();
  const forget = (rows: readonly Claimed[]): void => rows.forEach(({ id }) => busy.delete(id));
  const giveBack = (rows: readonly Claimed[]): void => {
    forget(rows);
    turns.unsent(rows);
  };
  await using marker = makeMarker({ db, instance: deps.instance, log, onDone: forget, onLost: leases.lose });
  let activeShards = shardCount;
  let failedClaims = 0;
  // Whether at least half of what was asked for last was there.
  let isFull = false;

  const next = async (): Promise<readonly Claimed[]> => {
    const held = leases.held();
    const perShard = <T extends number>(total: T): number =>
      Math.ceil(total / Math.max(1, Math.min(activeShards, held.length)));
    const page = {
      leases: held,
      busy: [...busy],
      except: pauses.paused(),
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
  const send = async (rows: readonly Claimed[]): Promise<boolean> => {
    const { failure, complete } = await publish(rows, {
      producer: deps.producer,
      mayBeSent: (row) => leases.isHeld(row.lease),
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
    if (failure === null) pauses.succeeded(topics);
    else {
      pauses.failed(topics);
      meters.failed("send");
      log.warn("send_failed", { topics: [...topics], rows: rows.length, error: failure });
    }
    return complete;
  };
  // Claimed and not acknowledged: given back when the round is over.
  const unsent = new Map<number, Claimed>();

  let ahead: Promise<readonly Claimed[]> | null = null;
  while (!signal.aborted) {
    deps.onTurn?.();
    let rows: readonly Claimed[];
    try {
      rows = await (ahead ?? next());
      failedClaims = 0;
    } catch (error) {
      meters.failed("claim");
      if (failedClaims++ % 20 === 0) log.warn("claim_failed", { error });
      ahead = null;
      await sleep(pollMs + Math.random() * 400, signal);
      continue;
    }
    ahead = null;
    if (rows.length === 0) {
      await wake.rest(pollMs);
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

/** One group for all topics in good standing and one for each suspect. They may share shards: order is promised per topic and key. */
function apart(rows: readonly Claimed[], isSuspect: (topic: string) => boolean): readonly (readonly Claimed[])[] {
  const groups = Map.groupBy(rows, ({ topic }) => (isSuspect(topic) ? topic : ""));
  return [...groups.values()];
}

function causeOf(error: Error): string {
  return error.cause instanceof Error ? `${error.message}: ${error.cause.message}` : error.message;
}
