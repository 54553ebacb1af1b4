import { expect, test } from "bun:test";
import { makeDoubts } from "../../../../shared/consume/log/doubts.ts";
import type { MessageOutcome } from "../../../../shared/consume/member/item.ts";
import { makeLog } from "../../../../shared/role/log.ts";

const at = (offset: number, partition = 0) => ({ topic: "task-events", partition, offset: BigInt(offset) });

/** A member whose commits of partition 0 were above the positions of the database, up to 5. */
function setup() {
  const told: string[] = [];
  let lost = 0;
  const doubts = makeDoubts({
    log: makeLog({}, "error", () => {}),
    meters: { lost: () => void lost++ },
    wentBack: (evidence) => void told.push(evidence),
  });
  doubts.about(new Map([["task-events/0", 5n]]));
  const settle = (outcome: MessageOutcome, ...where: readonly ReturnType<typeof at>[]) =>
    where.forEach((one) => doubts.settled(one, outcome));
  return { settle, told, lost: () => lost };
}

test("what was committed and is new to the inbox was lost, which is told once", () => {
  const { settle, told, lost } = setup();
  settle("done", at(3), at(4), at(5), at(1, 1));
  expect([told, lost()]).toEqual([["effects"], 2]);
});

test.each(["duplicate", "skipped"] as const)("a %s is no sign of a loss, wherever it lies", (outcome) => {
  const { settle, told, lost } = setup();
  settle(outcome, at(3), at(7));
  expect([told, lost()]).toEqual([[], 0]);
});

test("a record that tells of a lost change is one, above what was committed, too, and no effect that was made again", () => {
  const { settle, told, lost } = setup();
  settle("lost", at(7), at(3));
  settle("parked", at(4));
  expect([told, lost()]).toEqual([["events"], 1]);
});
