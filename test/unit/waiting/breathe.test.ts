import { expect, test } from "bun:test";
import { makeBreathe } from "../../../shared/waiting/breathe.ts";

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

test("work for a request ends where its client has left, before a turn and after it", async () => {
  const client = new AbortController();
  let clock = 0;
  const breathe = makeBreathe({ signal: client.signal, everyMs: 10, now: () => clock });
  await breathe();
  clock = 20;
  setImmediate(() => client.abort(new Error("left")));
  await expect(breathe()).rejects.toThrow("left");
  await expect(breathe()).rejects.toThrow("left");
});
