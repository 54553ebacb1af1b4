import { backoff } from "../../shared/waiting/wait.ts";

/** Which topics are left alone after a failed send, so that one topic's trouble does not hold up the others. */
type TopicPauses = Readonly<{
  failed: (topics: Iterable<string>) => void;
  succeeded: (topics: Iterable<string>) => void;
  paused: () => readonly string[];
  /** Failed last time: to be sent apart from the rest, which otherwise fails with it. */
  isSuspect: (topic: string) => boolean;
}>;

/** Full jitter, 200 ms doubling to 5 s, per topic. */
export function makeTopicPauses(now: () => number = () => performance.now()): TopicPauses {
  const failing = new Map<string, { round: number; until: number }>();
  return {
    failed: (topics) => {
      for (const topic of topics) {
        const round = (failing.get(topic)?.round ?? -1) + 1;
        failing.set(topic, { round, until: now() + backoff(round, { baseMs: 200, maxMs: 5000 }) });
      }
    },
    succeeded: (topics) => {
      for (const topic of topics) failing.delete(topic);
    },
    paused: () => [...failing].filter(([, { until }]) => until > now()).map(([topic]) => topic),
    isSuspect: (topic) => failing.has(topic),
  };
}
