import { expect, test } from "bun:test";
import type { Admin } from "../../../shared/messages/broker.ts";
import { consumerGroups, groupNames } from "../../../shared/messages/topics.ts";
import { measureLag } from "../../../workers/operator/measure-lag.ts";

const now = new Date(100_000);

test("a group that has read everything is not behind", async () => {
  const lags = await measureLag(admin({ committed: 10n }), now);
  expect(lags).toHaveLength(groupNames.flatMap((group) => consumerGroups[group]).length);
  for (const lag of lags) expect(lag).toMatchObject({ partition: 0, committed: 10n, messages: 0, seconds: 0 });
});

test("lag is what lies between the commit and the end, and as old as the first of it", async () => {
  const [lag] = await measureLag(admin({ committed: 4n }), now);
  expect(lag).toMatchObject({ messages: 6, seconds: 96 });
});

test("a group that never committed is behind by all that is there", async () => {
  const [lag] = await measureLag(admin({ committed: null }), now);
  expect(lag).toMatchObject({ committed: null, messages: 8, seconds: 98 });
});

test("a commit below the log's start counts from the start: the rest is gone", async () => {
  const [lag] = await measureLag(admin({ committed: 0n }), now);
  expect(lag).toMatchObject({ committed: 0n, messages: 8, seconds: 98 });
});

test("a commit beyond the end, as after a topic was made anew, is no negative lag", async () => {
  const [lag] = await measureLag(admin({ committed: 99n }), now);
  expect(lag).toMatchObject({ messages: 0, seconds: 0 });
});

/** One partition with offsets 2 to 9, each record written at as many seconds as its offset. */
function admin({ committed }: { committed: bigint | null }): Pick<Admin, "offsets" | "committed" | "read"> {
  return {
    offsets: (_topic, at) => Promise.resolve(new Map([[0, at === "start" ? 2n : 10n]])),
    committed: (group) => {
      const topics = groupNames.filter((name) => name === group).flatMap((name) => [...consumerGroups[name]]);
      return Promise.resolve(
        committed === null ? [] : topics.map((topic) => ({ topic, partition: 0, offset: committed })),
      );
    },
    read: (topic, at) =>
      Promise.resolve(
        [...at].map(([partition, offset]) => {
          if (offset < 2n || offset > 9n) throw new Error(`offset ${offset} is not there`);
          return {
            topic,
            partition,
            offset,
            timestamp: Number(offset) * 1000,
            key: null,
            value: null,
            headers: [],
            generation: 0,
          };
        }),
      ),
  };
}
