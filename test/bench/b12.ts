// B12: what a person's request can cost the role that answers it: of every route the hardest valid one, in ms of CPU.
import { median, type Bench, type BenchRow } from "./bench.ts";
import { makeHostileRequests, type HostileRequest } from "./hostile-requests.ts";
import { openRouteWorld, servingRoles, type RouteWorld } from "./route-world.ts";

/** Whatever is asked, others wait no longer for it. */
const mostMs = 100;

export const bench: Bench = {
  id: "B12",
  title: `CPU per request of every route, the hardest valid one, against ${mostMs} ms`,
  run: async ({ rounds, say }) => {
    await using world = await openRouteWorld();
    const requests = await makeHostileRequests(world.as, say);
    await refuseMissing(world, requests);
    const rows: BenchRow[] = [];
    for (const request of requests) {
      const row = await measure(world, request, rounds);
      say(`  ${row.ours.toFixed(1)} ms ${row.what}`);
      rows.push(row);
    }
    return rows.toSorted((a, b) => b.ours - a.ours);
  },
};

async function measure(
  world: RouteWorld,
  { role, route, what, prepare, send }: HostileRequest,
  rounds: number,
): Promise<BenchRow> {
  const all: number[] = [];
  let last = { status: 0, bytes: 0 };
  for (let round = 0; round < rounds; round++) {
    await prepare?.();
    await world.quiet(role);
    const { ms, sent } = await world.cost(role, send);
    all.push(ms);
    last = sent;
  }
  return {
    what: `${route} · ${what}`,
    ours: median(all),
    peer: mostMs,
    unit: " ms",
    ratios: all.map((ms) => ms / mostMs),
    target: "< 1",
    note: `${last.status}, ${last.bytes.toLocaleString("en")} characters; at most ${Math.max(...all).toFixed(1)} ms`,
  };
}

/** A route that nobody measures would be the one to cost most. */
async function refuseMissing(world: RouteWorld, requests: readonly HostileRequest[]): Promise<void> {
  const measured = new Set(requests.map(({ role, route }) => `${role} ${route}`));
  const missing: string[] = [];
  for (const role of servingRoles)
    missing.push(
      ...(await world.routesOf(role)).map((route) => `${role} ${route}`).filter((route) => !measured.has(route)),
    );
  if (missing.length > 0) throw new Error(`no request measures ${missing.join(", ")}`);
}
