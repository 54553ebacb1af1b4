import { expect, test } from "bun:test";
import { makeStrays } from "../../../workers/ui-gateway/stream/strays.ts";
import type { Frame } from "../../../workers/ui-gateway/stream/update-frame.ts";

const mebibyte = 1 << 20;

function frame(taskId: string, size: number): Frame {
  return {
    partition: 0,
    offset: 0n,
    userId: "ada",
    taskId,
    sequence: 1,
    bytes: new Uint8Array(size),
    changeType: "updated",
    isCompleted: false,
    json: { start: 0, end: 0 },
  };
}

const idsOf = (strays: ReturnType<typeof makeStrays>) => strays.of("ada").map(({ taskId }) => taskId);

test("of many large changes the newest 8 MiB are kept", () => {
  const strays = makeStrays();
  for (let n = 0; n < 20; n++) strays.add(frame(`task ${n}`, mebibyte));
  expect(idsOf(strays)).toEqual(Array.from({ length: 8 }, (_, n) => `task ${12 + n}`));
});

test("what is replaced or forgotten makes room for others", () => {
  const strays = makeStrays();
  for (let n = 0; n < 20; n++) strays.add(frame("the same", mebibyte));
  for (let n = 0; n < 7; n++) strays.add(frame(`task ${n}`, mebibyte));
  expect(idsOf(strays)).toHaveLength(8);
  strays.forget("the same");
  strays.forget("unknown");
  strays.add(frame("one more", mebibyte));
  expect(idsOf(strays)).toHaveLength(8);
});
