import { expect, test } from "bun:test";
import type { Admin } from "../../../shared/messages/broker.ts";
import { checkRetention, rememberedDays } from "../../../shared/consume/inbox-retention.ts";

const dayMs = 86_400_000;

/** Whether the inbox remembers for long enough, with topics that keep messages for so many days; -1 for ever. */
async function check(topic: number, deadLetters: number): Promise<boolean> {
  const known = [
    ["task-events", topic],
    ["task-update-broadcaster-dlq", deadLetters],
  ] as const;
  const admin = {
    topics: async () =>
      known.map(([name, days]) => ({
        name,
        partitions: 1,
        configs: { "retention.ms": String(days < 0 ? -1 : days * dayMs) },
      })),
  } as unknown as Pick<Admin, "topics">;
  return checkRetention(admin, "task-update-broadcaster", ["task-events"]).then(
    () => true,
    () => false,
  );
}

test("the inbox remembers for as long as a message can come back: from its topic, then as a dead letter, and a day", async () => {
  expect(await check(7, rememberedDays - 8)).toBe(true);
  expect(await check(7, rememberedDays - 7)).toBe(false);
  expect(await check(rememberedDays, 0.5)).toBe(false);
  expect(await check(-1, 1)).toBe(false);
  expect(await check(1, -1)).toBe(false);
});
