import { hash } from "../../hash.ts";

type LaneItem = Readonly<{ lane: string; bytes: number }>;

export const laneCount = 8;
const maxItems = 200;
/**
 * So many are taken at any pace: on a busy machine the transaction takes most of the time, and for one item as long as
 * for these.
 */
const minItems = 32;
const targetMs = 250;
/** What may wait before intake is held back. */
const maxWaiting = 2_000;
const maxWaitingBytes = 16 << 20;

/**
 * Queues that run side by side, each in order; the hash of `lane` (the key) picks the queue. A lane's next batch is
 * what came in while its last one ran: one item when idle, more under load, and nobody waits to fill it. A batch has at
 * most 200 items, and as many as took 250 ms at the lane's recent pace, but at least 32. `run` must not reject: its
 * failure would stop the lane.
 */
export function makeLanes<T extends LaneItem>(
  run: (items: readonly T[], lane: number) => Promise<void>,
  count: number = laneCount,
  clockMs: () => number = () => performance.now(),
) {
  const lanes = Array.from({ length: count }, (_, index) => ({
    index,
    queue: [] as T[],
    running: null as Promise<void> | null,
    itemMs: 0,
  }));
  let paused = false;
  let waiting = 0;
  let waitingBytes = 0;
  let roomMade: (() => void)[] = [];

  const taken = (items: readonly T[]) => {
    waiting -= items.length;
    for (const { bytes } of items) waitingBytes -= bytes;
    if (waiting >= maxWaiting || waitingBytes >= maxWaitingBytes) return;
    for (const go of roomMade) go();
    roomMade = [];
  };

  const start = (lane: (typeof lanes)[number]) => {
    if (lane.running !== null || paused || lane.queue.length === 0) return;
    lane.running = (async () => {
      while (!paused && lane.queue.length > 0) {
        const items = lane.queue.splice(0, Math.max(minItems, Math.min(maxItems, Math.floor(targetMs / lane.itemMs))));
        taken(items);
        const began = clockMs();
        await run(items, lane.index);
        lane.itemMs = (lane.itemMs + (clockMs() - began) / items.length) / 2;
      }
      // In the same step as the last look at the queue: an item pushed between the two would start nothing.
      lane.running = null;
    })();
  };

  const indexOf = (lane: string) => hash(lane) % count;

  return {
    /** Which lane items of this key go to: the number that `run` is given. */
    indexOf,
    push: (item: T) => {
      const lane = lanes[indexOf(item.lane)];
      if (lane === undefined) return;
      lane.queue.push(item);
      waiting += 1;
      waitingBytes += item.bytes;
      start(lane);
    },
    hasRoom: () => waiting < maxWaiting && waitingBytes < maxWaitingBytes,
    /** Settles when less than 2,000 items and 16 MiB wait. */
    room: async () => {
      while (waiting >= maxWaiting || waitingBytes >= maxWaitingBytes)
        await new Promise<void>((resolve) => roomMade.push(resolve));
    },
    /** Running batches go on, no further one starts. */
    pause: () => {
      paused = true;
    },
    resume: () => {
      paused = false;
      lanes.forEach(start);
    },
    /** Forgets waiting items. */
    drop: (unwanted: (item: T) => boolean) => {
      for (const lane of lanes) {
        const dropped = lane.queue.filter(unwanted);
        if (dropped.length === 0) continue;
        lane.queue = lane.queue.filter((item) => !unwanted(item));
        taken(dropped);
      }
    },
    /** Settles when no batch runs. */
    idle: async () => {
      await Promise.all(lanes.map(({ running }) => running));
    },
    depth: () => waiting,
    running: () => lanes.filter(({ running }) => running !== null).length,
  };
}
