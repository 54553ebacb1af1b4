import { expect, test } from "bun:test";
import { planUnderNode, readNodeRoles } from "../../../dev/run/node-roles.ts";

const plan = (name: string) => ({
  name,
  instance: 1,
  label: name,
  command: `bun workers/${name}/main.ts`,
  port: 1,
  metricsPort: 1,
});

test("roles named by NODE_ROLES run under Node with the second driver, the others as the Procfile says", () => {
  const plans = planUnderNode([plan("outbox-relay"), plan("operator")], ["outbox-relay"], "/opt/it's/node");
  expect(plans.map(({ command }) => command)).toEqual([
    String.raw`KAFKA_DRIVER=librdkafka '/opt/it'\''s/node' workers/outbox-relay/main.ts`,
    "bun workers/operator/main.ts",
  ]);
});

test("a role that the Procfile does not have is refused, with those it has", () => {
  expect(readNodeRoles(" a, b,", ["a", "b"])).toEqual(["a", "b"]);
  expect(readNodeRoles(undefined, ["a"])).toEqual([]);
  expect(() => readNodeRoles("relay", ["outbox-relay"])).toThrow('NODE_ROLES names "relay", which is no role');
});
