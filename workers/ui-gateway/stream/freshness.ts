/** `stale`: this instance has not heard of new changes for `staleSeconds`, so that there may be some. */
export const streamStates = ["live", "stale"] as const;
export type StreamState = (typeof streamStates)[number];

/**
 * When each partition was last heard of: an instance that Kafka does not answer must not pass for one to which nothing
 * happens.
 */
export type Freshness = Readonly<{
  /** Everything these partitions had has been given. */
  heard: (partitions: Iterable<number>) => void;
  /** These are all there are from now on; new ones count as heard of now. */
  expect: (partitions: Iterable<number>) => void;
  /** Since the partition heard of longest ago was; since the start before any was. */
  ageSeconds: () => number;
  isFresh: () => boolean;
  state: () => StreamState;
  /** Calls back when the state changes. Returns the way to call it off. */
  watch: (changed: (state: StreamState) => void) => () => void;
  /** Tells the watchers; to be called every second. */
  look: () => void;
}>;

/**
 * A tail is answered twice a second. Leaders move within seconds; an answer later than this is an outage that people
 * should see.
 */
export const staleSeconds = 15;

export function makeFreshness(nowMs: () => number = () => performance.now()): Freshness {
  const startedAt = nowMs();
  const heardAt = new Map<number, number>();
  const watchers = new Set<(state: StreamState) => void>();
  let told: StreamState = "live";
  const ageSeconds = () => (nowMs() - (heardAt.size === 0 ? startedAt : Math.min(...heardAt.values()))) / 1000;
  const isFresh = () => ageSeconds() < staleSeconds;
  const state = () => (isFresh() ? "live" : "stale");
  const look = () => {
    if (told === state()) return;
    told = state();
    for (const changed of watchers) changed(told);
  };
  return {
    heard: (partitions) => {
      for (const partition of partitions) heardAt.set(partition, nowMs());
      look();
    },
    expect: (partitions) => {
      const known = new Set(partitions);
      for (const partition of heardAt.keys()) if (!known.has(partition)) heardAt.delete(partition);
      for (const partition of known) if (!heardAt.has(partition)) heardAt.set(partition, nowMs());
    },
    ageSeconds,
    isFresh,
    state,
    watch: (changed) => {
      watchers.add(changed);
      return () => void watchers.delete(changed);
    },
    look,
  };
}
