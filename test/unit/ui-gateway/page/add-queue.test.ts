import { expect, test } from "bun:test";
import type { TaskFields } from "../../../../workers/ui-gateway/page/api.ts";
import { shownTask } from "../../../support/shown-task.ts";
import { makeAddQueue } from "../../../../workers/ui-gateway/page/add-queue.ts";

const fields = (title: string): TaskFields => ({ ...shownTask({ title }), recurrence_pattern: null });

function setup() {
  const sent: Readonly<{ title: string; key: string; answer: PromiseWithResolvers<void> }>[] = [];
  const failed: string[] = [];
  const waiting: number[] = [];
  const queue = makeAddQueue<string>({
    send: ({ title }, key) => {
      const answer = Promise.withResolvers<void>();
      sent.push({ title, key, answer });
      return answer.promise;
    },
    onFailed: ({ draft }) => failed.push(draft),
    onWaiting: (count) => waiting.push(count),
  });
  const add = (title: string) => queue.add(title, fields(title));
  return { queue, sent, failed, waiting, add, titles: () => sent.map(({ title }) => title) };
}

const settled = () => new Promise((resolve) => setTimeout(resolve, 0));

test("the next task is sent when the one before it is answered, failed or not", async () => {
  const { sent, failed, waiting, add, titles } = setup();
  for (const title of ["a", "b", "c"]) add(title);
  await settled();
  expect(titles()).toEqual(["a"]);
  sent[0]?.answer.reject(new Error("no"));
  await settled();
  expect([titles(), failed]).toEqual([["a", "b"], ["a"]]);
  sent[1]?.answer.resolve();
  await settled();
  sent[2]?.answer.resolve();
  await settled();
  expect([titles(), failed, waiting]).toEqual([["a", "b", "c"], ["a"], [1, 2, 3, 2, 1, 0]]);
});

test("a task that failed keeps its key when it is written again as it was; anything else gets a new one", async () => {
  const { sent, add } = setup();
  add("a");
  sent[0]?.answer.reject(new Error("lost"));
  await settled();
  add("a");
  sent[1]?.answer.resolve();
  await settled();
  add("a");
  sent[2]?.answer.resolve();
  await settled();
  const [first, second, third] = sent.map(({ key }) => key);
  expect([first === second, second === third]).toEqual([true, false]);
});

test("when the page goes away, what waits for its turn is sent at once, with the key it has later", async () => {
  const { queue, sent, add, titles } = setup();
  for (const title of ["a", "b"]) add(title);
  await settled();
  queue.flush();
  expect(titles()).toEqual(["a", "b"]);
  sent[0]?.answer.resolve();
  await settled();
  expect([titles(), sent[1]?.key === sent[2]?.key]).toEqual([["a", "b", "b"], true]);
});
