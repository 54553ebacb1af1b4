export type Scrape = Readonly<{
  series: readonly Readonly<{ name: string; labels: Readonly<Record<string, string>>; key: string; value: number }>[];
  /** By name as in the TYPE line; `labels` are those seen on any of its series. */
  families: ReadonlyMap<string, Readonly<{ kind: string; labels: Set<string> }>>;
}>;

/** Reads the Prometheus text format, of one process or of several one after the other. */
export function readScrape(text: string): Scrape {
  const families = new Map<string, { kind: string; labels: Set<string> }>();
  const series: Scrape["series"][number][] = [];
  for (const line of text.split("\n")) {
    const [, declared, kind] = /^# TYPE (\S+) (\S+)$/.exec(line) ?? [];
    if (declared !== undefined && kind !== undefined && !families.has(declared))
      families.set(declared, { kind, labels: new Set() });
    const [, name, inner = "", value] = /^([a-zA-Z_:][\w:]*)(?:\{(.*)\})? (\S+)$/.exec(line) ?? [];
    if (name === undefined) continue;
    const labels = Object.fromEntries(
      [...inner.matchAll(/(\w+)="((?:[^"\\]|\\.)*)"/g)].map(([, label = "", found = ""]) => [label, found]),
    );
    const family = families.get(name) ?? families.get(name.replace(/_(bucket|sum|count)$/, ""));
    for (const label of Object.keys(labels)) family?.labels.add(label);
    series.push({ name, labels, key: `${name}{${inner}}`, value: Number(value) });
  }
  return { series, families };
}
