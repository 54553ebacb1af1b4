import { Counter, Gauge, Histogram, Registry, collectDefaultMetrics } from "prom-client";

/**
 * The metrics of one process. A name is made once and then shared: asking again with the same name returns the first
 * one. Labels are closed sets (topic, group, partition, class, outcome); nothing that grows with users or keys.
 */
export type Metrics = Readonly<{
  counter: (name: string, help: string, labels?: readonly string[]) => Counter;
  gauge: (name: string, help: string, labels?: readonly string[]) => Gauge;
  /** `seconds` is the unit of every duration; buckets in seconds. */
  histogram: (name: string, help: string, labels?: readonly string[], buckets?: readonly number[]) => Histogram;
  /** The Prometheus text format. */
  text: () => Promise<string>;
}>;

const secondsBuckets = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60];

export function makeMetrics(role: string, options: { process?: boolean } = {}): Metrics {
  const registry = new Registry();
  registry.setDefaultLabels({ role });
  // A sample of the event loop's delay wakes the process: every 10 ms, the default, was most of what a role took at
  // rest.
  if (options.process ?? true) collectDefaultMetrics({ register: registry, eventLoopMonitoringPrecision: 100 });
  const once = <T extends Counter | Gauge | Histogram>(name: string, make: () => T): T =>
    // A name is made by one call site with one kind, so the one found is of that kind.
    (registry.getSingleMetric(name) as T | undefined) ?? make();
  return {
    counter: (name, help, labels = []) =>
      once(name, () => new Counter({ name, help, labelNames: [...labels], registers: [registry] })),
    gauge: (name, help, labels = []) =>
      once(name, () => new Gauge({ name, help, labelNames: [...labels], registers: [registry] })),
    histogram: (name, help, labels = [], buckets = secondsBuckets) =>
      once(
        name,
        () => new Histogram({ name, help, labelNames: [...labels], buckets: [...buckets], registers: [registry] }),
      ),
    text: () => registry.metrics(),
  };
}
