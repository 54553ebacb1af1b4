import { expect, test } from "bun:test";
import type { SessionEnd } from "../../../../shared/consume/member/session.ts";
import { supervise } from "../../../../shared/consume/member/supervise.ts";
import { makeLog } from "../../../../shared/role/log.ts";

const failed = (worked = false): SessionEnd => ({ kind: "failed", error: new Error("fetch failed 6 times"), worked });
const refused: SessionEnd = {
  kind: "failed",
  error: Object.assign(new Error("Topic authorization failed."), { apiId: "TOPIC_AUTHORIZATION_FAILED" }),
  worked: false,
};
const gap = (expected: bigint, found: bigint): SessionEnd => ({ kind: "gap", partition: "t/0", expected, found });

/** Runs a supervisor over sessions that end as told; the last of them stops the role. */
async function setup(ends: readonly SessionEnd[], of: { brokerAnswers?: boolean } = {}) {
  const stop = new AbortController();
  const lines: string[] = [];
  let sessions = 0;
  let hopeless = 0;
  let refusals = 0;
  const outcome = await supervise({
    session: async (wasSkipped) => {
      const end = ends[sessions++];
      if (end?.kind === "gap" && wasSkipped(end.partition, end.expected, end.found)) hopeless += 1;
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
    },
    tellRefusal: () => void refusals++,
    log: makeLog({}, "warn", (line) => void lines.push(JSON.parse(line).event)),
    stop: stop.signal,
    pauseMs: () => 0,
  }).then(
    () => "settled",
    (error: Error) => error.message,
  );
  return { outcome, sessions, hopeless, refusals, lines };
}

test("what the broker says it lacks is waited for, though it answers other questions", async () => {
  const cause = Object.assign(new Error("refused"), { apiId: "COORDINATOR_NOT_AVAILABLE" });
  const end: SessionEnd = { kind: "failed", error: new Error("joining failed", { cause }), worked: false };
  expect(await setup(Array.from({ length: 25 }, () => end))).toMatchObject({ outcome: "settled", sessions: 26 });
});

test("a client that failed is followed by a new one", async () => {
  expect(await setup([failed(), failed(true)])).toMatchObject({ outcome: "settled", sessions: 3 });
});

test("a gap left by one client is met by a new one, which is told when it leaves the same", async () => {
  expect(await setup([gap(4n, 6n), gap(9n, 12n)])).toMatchObject({ sessions: 3, hopeless: 0 });
  expect(await setup([gap(4n, 6n), failed(true), gap(4n, 6n)])).toMatchObject({
    outcome: "settled",
    sessions: 4,
    hopeless: 1,
  });
});

test("a topic that has grown is met by a new client at once", async () => {
  expect(await setup([{ kind: "grown", topics: ["t"] }])).toMatchObject({ outcome: "settled", sessions: 2 });
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

test("a client that the broker refuses is told of and tried again for ever: no restart would help", async () => {
  expect(
    await setup(
      Array.from({ length: 25 }, () => refused),
      { brokerAnswers: true },
    ),
  ).toMatchObject({
    outcome: "settled",
    sessions: 26,
    refusals: 25,
  });
});

test("failures of clients that had worked in between do not add up", async () => {
  const ends = Array.from({ length: 30 }, (_, n) => failed(n % 9 === 8));
  expect(await setup(ends)).toMatchObject({ outcome: "settled", sessions: 31 });
});

test("what ends a client without a failure is told, each by its name, and adds up to none", async () => {
  const ends: readonly SessionEnd[] = [
    { kind: "database_changed" },
    { kind: "rewound", partitions: [] },
    { kind: "grown", topics: ["t"] },
  ];
  const { outcome, sessions, lines } = await setup(Array.from({ length: 12 }, () => ends).flat());
  expect([outcome, sessions]).toEqual(["settled", 37]);
  expect(lines).toEqual(Array.from({ length: 12 }, () => ["database_changed", "group_rewound"]).flat());
});
