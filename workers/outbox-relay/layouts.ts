import type { Admin } from "../../shared/messages/broker.ts";
import type { Log } from "../../shared/role/log.ts";
import { layoutsChanged, readTopicLayouts } from "../../shared/outbox/topic-layouts.ts";
import type { Db } from "../../shared/postgres/db.ts";
import { makeWake } from "../../shared/waiting/wake.ts";

export type Layouts = Readonly<{
  /**
   * By topic, the generation of its layout that this relay's producer knows. The claims leave out topics of any other.
   */
  known: () => ReadonlyMap<string, number>;
  /**
   * To be called while no send is under way: takes over what was found, with a producer that knows of it, once
   * `areMarked` says that nothing sent before is still to be marked.
   */
  settle: (areMarked: () => Promise<boolean>) => Promise<void>;
  /** To be told what is notified on the outbox's channel: wakes the relay, and looks where it is about layouts. */
  heard: (what: string) => void;
  /** Looks when told and every 5 s until the signal is aborted. */
  watch: (signal: AbortSignal) => Promise<void>;
}>;

type MakeLayouts = Readonly<{
  db: Pick<Db, "sql">;
  admin: Pick<Admin, "offsets">;
  /** Closes the producer and opens another: one that is open learns of new partitions only half a minute later. */
  renewProducer: () => Promise<void>;
  /** The relay has something to do. */
  wake: () => void;
  log: Log;
}>;

const everyMs = 5_000;
const recheckMs = 200;
/**
 * A topic that was deleted and made by hand may have fewer partitions than are on record; its messages must go on all
 * the same.
 */
const patienceMs = 30_000;

/**
 * Keeps a topic's messages in the outbox while an operator changes its partitions, and after it until this relay's
 * producer knows of the new ones. Otherwise a key's messages would go to its old partition and its new one at once, and
 * their order would be lost. The claim itself looks at the table, so what is known here can be late but never wrong.
 */
export function makeLayouts({ db, admin, renewProducer, wake, log }: MakeLayouts): Layouts {
  let known: ReadonlyMap<string, number> = new Map();
  let found: ReadonlyMap<string, number> | null = null;
  const waitingSince = new Map<string, number>();
  const waker = makeWake();

  /** Whether the broker we ask has the partitions. With several brokers one may hear of them later than another. */
  const isThere = async (topic: string, partitions: number): Promise<boolean> => {
    if ((await admin.offsets(topic, "end")).size >= partitions) return true;
    const since = waitingSince.get(topic) ?? performance.now();
    waitingSince.set(topic, since);
    if (performance.now() - since < patienceMs) return false;
    log.warn("topic_has_fewer_partitions", { topic, recorded: partitions });
    return true;
  };
  /** Whether nothing is left to wait for. */
  const look = async (): Promise<boolean> => {
    const layouts = await readTopicLayouts(db.sql);
    const open = layouts.filter((layout) => layout.held === null);
    const news = open.filter(({ topic, generation }) => (found ?? known).get(topic) !== generation);
    const there: string[] = [];
    for (const { topic, partitions } of news) if (await isThere(topic, partitions)) there.push(topic);
    for (const topic of there) waitingSince.delete(topic);
    if (there.length > 0) {
      const settled = news.filter(({ topic }) => there.includes(topic));
      found = new Map([...(found ?? known), ...settled.map(({ topic, generation }) => [topic, generation] as const)]);
      wake();
    }
    return there.length === news.length;
  };

  return {
    known: () => known,
    settle: async (areMarked) => {
      if (found === null || !(await areMarked())) return;
      const next = found;
      found = null;
      await renewProducer();
      known = next;
      log.info("layouts_known", { topics: Object.fromEntries(next) });
    },
    heard: (what) => {
      if (what === layoutsChanged) waker.now();
      wake();
    },
    watch: async (signal) => {
      signal.addEventListener("abort", waker.now, { once: true });
      while (!signal.aborted) {
        const isDone = await look().catch((error: unknown) => {
          log.warn("layouts_unknown", { error });
          return true;
        });
        await waker.rest(isDone ? everyMs : recheckMs);
      }
    },
  };
}
