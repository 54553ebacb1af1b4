import { expect, test } from "bun:test";
import { makeBreathe } from "../../shared/breathe.ts";

test("others have their turn where it ran for long since they last had it, and then only", async () => {
  let [clock, turns] = [0, 0];
  const breathe = makeBreathe({ everyMs: 10, now: () => clock });
  for (const [at, expected] of [
    [5, 0],
    [12, 1],
    [21, 1],
    [22, 2],
  ] as const) {
    clock = at;
    const turn = setImmediate(() => (turns += 1));
    await breathe();
    clearImmediate(turn);
    expect(turns).toBe(expected);
  }
});
