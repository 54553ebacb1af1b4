import { expect, test } from "bun:test";
import type { Broker } from "../../../shared/messages/broker.ts";
import { isRefusal, outageOf } from "../../../shared/consume/failure/classify.ts";
import { makeNaming } from "../../../shared/kafka/naming.ts";
import { makeExplain } from "../../../shared/kafka/refused.ts";
import { sayRefusals } from "../../../shared/kafka/say-refusals.ts";
import { makeLog } from "../../../shared/role/log.ts";

/** As the client nests it: what failed, the answer, and Kafka's own error. */
function refusal(apiId: string): Error {
  const own = Object.assign(new Error("authorization failed."), { apiId, code: "PLT_KFK_PROTOCOL" });
  return new AggregateError([new AggregateError([own], "Received response with error")], "It failed.");
}
const explain = makeExplain("task-service", makeNaming("a."));
const messageOf = (error: unknown) => (error instanceof Error ? error.message : String(error));
const mend = ": `ops acls plan` shows what it lacks there, `ops acls apply` mends it";

test.each([
  ["join", "TOPIC_AUTHORIZATION_FAILED", "READ on topic a.task-commands"],
  ["join", "GROUP_AUTHORIZATION_FAILED", "READ on group a.task-service"],
  ["send", "TOPIC_AUTHORIZATION_FAILED", "WRITE on topic a.task-commands"],
  ["send", "CLUSTER_AUTHORIZATION_FAILED", "WRITE on topic a.task-commands"],
  ["topics", "TOPIC_AUTHORIZATION_FAILED", "DESCRIBE and DESCRIBE_CONFIGS on topic a.task-commands"],
] as const)("%s answered with %s says that it needs %s", (call, apiId, needs) => {
  const error = explain(refusal(apiId), call, { topics: ["task-commands"], groups: ["task-service"] });
  expect(messageOf(error)).toBe(`the broker does not let User:task-service do this, it needs ${needs}${mend}`);
  expect(isRefusal(error)).toBe(true);
  expect(outageOf(error)?.mark).toBe("*_AUTHORIZATION_FAILED");
});

test("what is no refusal stays as it is, and a client with a certificate is not given a name", () => {
  const other = refusal("NOT_COORDINATOR");
  expect(explain(other, "join", {})).toBe(other);
  expect(isRefusal(other)).toBe(false);
  const nameless = makeExplain(null, makeNaming(""))(refusal("GROUP_AUTHORIZATION_FAILED"), "groups", {});
  expect(messageOf(nameless)).toStartWith(
    "the broker does not let this client do this, it needs DESCRIBE on group (any",
  );
});

test("every call of a broker says it: of the port, of a producer, of a client that fails later", async () => {
  const refuse = () => Promise.reject(refusal("TOPIC_AUTHORIZATION_FAILED"));
  const admin = Object.fromEntries(
    [
      "topics",
      "groups",
      "createTopic",
      "addPartitions",
      "alterConfigs",
      "offsets",
      "committed",
      "setOffsets",
      "nextRecord",
      "read",
    ]
      .concat(["deleteTopic", "deleteGroup"])
      .map((name) => [name, refuse]),
  ) as unknown as Broker["admin"];
  let failLater: (error: Error) => void = () => {};
  const broker = sayRefusals(
    {
      admin,
      producer: async () => ({ send: refuse, [Symbol.asyncDispose]: async () => {} }),
      join: async ({ onFailed }) => {
        failLater = onFailed;
        return { commit: async () => {}, isActive: () => true, [Symbol.asyncDispose]: async () => {} };
      },
      tail: () => ({ [Symbol.asyncIterator]: () => ({ next: refuse }) }),
      [Symbol.asyncDispose]: async () => {},
    },
    explain,
  );
  const at = { topic: "t", partition: 0, offset: 0n };
  const calls: readonly Promise<unknown>[] = [
    broker.admin.topics(),
    broker.admin.createTopic({ name: "t", partitions: 1, configs: {} }),
    broker.admin.alterConfigs("t", {}),
    broker.admin.offsets("t", "end"),
    broker.admin.committed("g"),
    broker.admin.setOffsets("g", [at]),
    broker.admin.nextRecord(at),
    broker.admin.read("t", new Map()),
    broker.admin.deleteTopic("t"),
    (await broker.producer()).send([{ topic: "t", timestamp: 0, key: null, value: null, headers: [] }]),
  ];
  for (const result of await Promise.allSettled(calls))
    expect(result.status === "rejected" && messageOf(result.reason)).toEndWith(mend);
  const failures: Error[] = [];
  const ignore = () => {};
  const onRecords = async () => {};
  const onFailed = (error: Error) => void failures.push(error);
  await broker.join({ group: "g", topics: ["t"], onRecords, onAssigned: ignore, onRebalancing: ignore, onFailed });
  failLater(refusal("GROUP_AUTHORIZATION_FAILED"));
  expect(failures.map(messageOf)).toEqual([expect.stringContaining("needs READ on group a.g")]);
});

test("the log tells what an error of several is made of", () => {
  const lines: string[] = [];
  makeLog({}, "info", (line) => void lines.push(line)).warn("x", { error: refusal("TOPIC_AUTHORIZATION_FAILED") });
  expect(JSON.parse(lines[0] ?? "").error.errors[0].errors[0]).toMatchObject({ message: "authorization failed." });
});
