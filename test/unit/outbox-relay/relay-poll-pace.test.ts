import { expect, test } from "bun:test";
import { makePollPace } from "../../../workers/outbox-relay/poll-pace.ts";

function setup(mayNotBeWoken: () => boolean = () => false) {
  let untold = 0;
  const pace = makePollPace({ mayNotBeWoken, untold: () => untold++ });
  const inVain = (times: number) => {
    for (let n = 0; n < times; n++) pace.looked({ woken: false, rows: 0 });
  };
  return { pace, inVain, untold: () => untold };
}

test("each look in vain doubles the rest, from 100 ms to a second", () => {
  const { pace, inVain } = setup();
  const rests = Array.from({ length: 6 }, () => {
    const ms = pace.restMs();
    inVain(1);
    return ms;
  });
  expect(rests).toEqual([100, 200, 400, 800, 1_000, 1_000]);
});

test("while nobody may wake it, the relay looks every 100 ms", () => {
  let isDeaf = true;
  const { pace, inVain } = setup(() => isDeaf);
  inVain(9);
  expect(pace.restMs()).toBe(100);
  isDeaf = false;
  expect(pace.restMs()).toBe(1_000);
});

test("rows that no notification told of are counted once rests are long, and make them short", () => {
  const { pace, inVain, untold } = setup();
  pace.looked({ woken: false, rows: 1 });
  expect(untold()).toBe(0);
  inVain(5);
  pace.looked({ woken: true, rows: 1 });
  expect([untold(), pace.restMs()]).toEqual([0, 100]);
  inVain(5);
  pace.looked({ woken: false, rows: 1 });
  expect([untold(), pace.restMs()]).toEqual([1, 100]);
});
