import { expect, test } from "bun:test";
import { renderBanner } from "../../../dev/run/banner.ts";
import { describeStatus } from "../../../dev/run/status.ts";
import type { Stack } from "../../../dev/stack/stack.ts";

const stack: Stack = {
  kind: "embedded",
  why: "no Docker engine answers",
  urls: { databaseUrl: "postgres://d", kafkaBrokers: "k:1", schemaRegistryUrl: "http://s", redisUrl: "redis://r" },
  parts: () => [{ name: "postgres", pid: 7, port: 5432 }],
  extras: [["Console", "http://c"]],
  stop: async () => {},
};
const plan = (name: string, instance: number, port: number, metricsPort = port) => ({
  name,
  instance,
  label: name,
  command: "",
  port,
  metricsPort,
});
const status = describeStatus({
  stack,
  roles: [
    { plan: plan("ui-gateway", 1, 8080, 8280), pid: 11, ready: true },
    { plan: plan("ui-gateway", 2, 8141), pid: 12, ready: false },
    { plan: plan("operator", 1, 8090), pid: null, ready: false },
  ],
});

test("the status has exactly the keys that scripts read", () => {
  expect(JSON.parse(JSON.stringify(status))).toEqual({
    app: "http://127.0.0.1:8080",
    operator: "http://127.0.0.1:8090",
    databaseUrl: "postgres://d",
    kafkaBrokers: "k:1",
    schemaRegistryUrl: "http://s",
    redisUrl: "redis://r",
    stack: { kind: "embedded", parts: [{ name: "postgres", pid: 7, port: 5432 }] },
    roles: [
      { name: "ui-gateway", instance: 1, pid: 11, port: 8080, metricsPort: 8280, ready: true },
      { name: "ui-gateway", instance: 2, pid: 12, port: 8141, metricsPort: 8141, ready: false },
      { name: "operator", instance: 1, pid: null, port: 8090, metricsPort: 8090, ready: false },
    ],
  });
});

test("roles that are not run have no address", () => {
  expect(describeStatus({ stack, roles: [] })).toMatchObject({ app: null, operator: null, roles: [] });
});

test("the banner names every address, why this stack, and who is not ready", () => {
  const banner = renderBanner(status, { ...stack, operatorToken: "its-token" });
  for (const text of [
    "http://127.0.0.1:8080/docs",
    "postgres://d",
    "k:1",
    "http://s",
    "redis://r",
    "http://c",
    "its-token",
    "because no Docker",
  ])
    expect(banner).toContain(text);
  expect(banner).toContain("http://127.0.0.1:8280/metrics  (ready)");
  expect(banner).toContain("http://127.0.0.1:8141/metrics  (not ready)");
  expect(banner).toContain("http://127.0.0.1:8090/metrics  (not running)");
});
