// B13: what one user's changes cost another, with the limits as they are, against the same user alone in the same
// round.
import { signIn, type Client } from "../support/client.ts";
import { startSystem, type System } from "../support/system.ts";
import { until } from "../support/until.ts";
import { percentile, type Bench, type BenchRow } from "./bench.ts";
import { writeToStream } from "./write-to-stream.ts";

const perSecond = 5;
const writesAtOnce = 600;

/** What somebody does as fast as it is answered, until it is told to stop. */
type Rush = Readonly<{
  what: string;
  begin: (system: System, user: Client) => Promise<(stop: AbortSignal) => Promise<Counts>>;
}>;
type Counts = { done: number; refused: number };

const rushes: readonly Rush[] = [
  {
    what: `${writesAtOnce} creates of another user at once`,
    begin: async (_, user) => (stop) => createAll(user, stop),
  },
  { what: "another user's changes of 100 open occurrences in a loop", begin: changeSeries },
];

export const bench: Bench = {
  id: "B13",
  title: "fairness: a user's create until it is read from the stream, while another sends all that is taken",
  run: async ({ rounds, seconds, say }) => {
    await using system = await startSystem();
    const gateway = system.url("ui-gateway");
    const ada = await signIn(gateway, "ada");
    say("warming up");
    await writeToStream(system, ada, perSecond, 5);
    const rows: BenchRow[] = [];
    for (const { what, begin } of rushes) {
      const alone: number[][] = [];
      const beside: number[][] = [];
      const counts: Counts = { done: 0, refused: 0 };
      for (let round = 0; round < rounds; round++) {
        const rush = await begin(system, await signIn(gateway, `eve-${rows.length}-${round}`));
        await calm(system, ada);
        alone.push(await writeToStream(system, ada, perSecond, seconds));
        const stop = new AbortController();
        const rushing = rush(stop.signal);
        beside.push(await writeToStream(system, ada, perSecond, seconds));
        stop.abort();
        const { done, refused } = await rushing;
        counts.done += done;
        counts.refused += refused;
        const [quiet, loud] = [alone, beside].map((all) => percentile(all.at(-1) ?? [], 0.5).toFixed(1));
        say(`${what}, round ${round + 1}: p50 ${loud} ms, alone ${quiet} ms; ${done} taken, ${refused} refused`);
      }
      rows.push({
        what,
        ours: percentile(beside.flat(), 0.5),
        peer: percentile(alone.flat(), 0.5),
        unit: " ms",
        ratios: beside.map((times, at) => percentile(times, 0.5) / percentile(alone[at] ?? [], 0.5)),
        target: "<= 3",
        note: `p99 ${percentile(beside.flat(), 0.99).toFixed(0)} ms, alone ${percentile(alone.flat(), 0.99).toFixed(0)} ms; ${counts.done} taken, ${counts.refused} refused`,
      });
    }
    return rows;
  },
};

/** What the round before has left to do is not this one's. */
async function calm(system: System, user: Client): Promise<void> {
  for (let tries = 0; tries < 10; tries++)
    if (percentile(await writeToStream(system, user, perSecond, 2), 0.9) < calmMs) return;
}
const calmMs = 300;

function count(counts: Counts, status: number, good: number): void {
  if (status === good) counts.done += 1;
  else if (status === 429) counts.refused += 1;
  else throw new Error(`a request answered ${status}`);
}

/** 16 at a time. */
async function createAll(user: Client, stop: AbortSignal): Promise<Counts> {
  const counts: Counts = { done: 0, refused: 0 };
  let left = writesAtOnce;
  const one = async () => {
    while (left-- > 0 && !stop.aborted)
      count(counts, (await user.call("POST", "/v1/tasks", { title: "rush" })).status, 201);
  };
  await Promise.all(Array.from({ length: 16 }, one));
  return counts;
}

async function changeSeries(_: System, user: Client): Promise<(stop: AbortSignal) => Promise<Counts>> {
  const rule = { rrule: "FREQ=DAILY", start: "1970-01-01T09:00", tz: "UTC", catch_up: "all", max_open: 100 };
  await user.must("POST", "/v1/tasks", { title: "daily", recurrence_pattern: rule });
  const open = async () => (await user.must("GET", "/v1/tasks?status=open&limit=200")).items;
  await until("100 occurrences are open", async () => (await open()).length >= 100, {
    timeoutMs: 60_000,
    everyMs: 500,
  });
  const id = (await open())[0]?.id ?? "";
  return async (stop) => {
    const counts: Counts = { done: 0, refused: 0 };
    for (let n = 0; !stop.aborted; n++)
      count(counts, (await user.call("PATCH", `/v1/tasks/${id}?scope=all`, { title: `rush ${n}` })).status, 200);
    return counts;
  };
}
