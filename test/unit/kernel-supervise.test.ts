import { expect, test } from "bun:test";
import type { SessionEnd } from "../../shared/consume/session.ts";
import { supervise } from "../../shared/consume/supervise.ts";
import { makeLog } from "../../shared/log.ts";

const failed = (worked = false): SessionEnd => ({ kind: "failed", error: new Error("fetch failed 6 times"), worked });
const gap = (expected: bigint, found: bigint): SessionEnd => ({ kind: "gap", partition: "t/0", expected, found });

/** Runs a supervisor over sessions that end as told; the last of them stops the role. */
async function setup(ends: readonly SessionEnd[], of: { brokerAnswers?: boolean } = {}) {
  const stop = new AbortController();
  const lines: string[] = [];
  let sessions = 0;
  let alarms = 0;
  const outcome = await supervise({
    session: async () => {
      const end = ends[sessions++];
      if (end !== undefined) return end;
      stop.abort();
      return { kind: "stopped" };
    },
    admin: {
      groups: async () => {
        if (of.brokerAnswers === false) throw new Error("no way to the broker");
        return [];
      },
    },
    meters: {
      client: () => {},
      alarm: () => {
        alarms += 1;
        stop.abort();
      },
    },
    log: makeLog({}, "warn", (line) => void lines.push(JSON.parse(line).event)),
    stop: stop.signal,
    pauseMs: () => 0,
  }).then(
    () => "settled",
    (error: Error) => error.message,
  );
  return { outcome, sessions, alarms, lines };
}

test("a client that failed is followed by a new one", async () => {
  expect(await setup([failed(), failed(true)])).toMatchObject({ outcome: "settled", sessions: 3, alarms: 0 });
});

test("a gap seen by one client only is passed over in silence, by two in a row it is an alarm", async () => {
  expect(await setup([gap(4n, 6n), gap(9n, 12n)])).toMatchObject({ sessions: 3, alarms: 0 });
  expect(await setup([gap(4n, 6n), failed(true), gap(4n, 6n)])).toMatchObject({
    outcome: "settled",
    sessions: 3,
    alarms: 1,
  });
});

test("a commit outside its log is an alarm at once", async () => {
  const partition = { topic: "t", partition: 0, committed: 1n, start: 5n, end: 9n };
  expect(await setup([{ kind: "out_of_log", partitions: [partition] }])).toMatchObject({ sessions: 1, alarms: 1 });
});

test("what nothing can mend ends the consumer", async () => {
  expect(await setup([{ kind: "fatal", error: new Error("reset") }])).toMatchObject({ outcome: "reset", sessions: 1 });
});

test.each([
  ["ends the consumer when the broker answers", true, "10 clients in a row failed though the broker answers", 10],
  ["goes on while the broker does not answer", false, "settled", 12],
] as const)("one failure after the other %s", async (_title, brokerAnswers, outcome, sessions) => {
  expect(await setup(Array<SessionEnd>(11).fill(failed()), { brokerAnswers })).toMatchObject({ outcome, sessions });
});
