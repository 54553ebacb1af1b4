import { expect, test } from "bun:test";
import { chooseStack } from "../../../dev/stack/open-stack.ts";

const all = { DATABASE_URL: "d", KAFKA_BROKERS: "k", SCHEMA_REGISTRY_URL: "s", REDIS_URL: "r" };
const engine = () => ({ version: "28.2" });
const noEngine = () => ({ reason: "no Docker engine answers" });

test("a Docker engine that answers is used, and the reason says so", () => {
  expect(chooseStack({}, engine)).toEqual({ kind: "compose", why: "Docker 28.2 answers", given: {} });
});

test("without an engine the stack is embedded", () => {
  expect(chooseStack({}, noEngine)).toMatchObject({ kind: "embedded", why: "no Docker engine answers" });
});

test("each address given by the environment wins on its own; an empty one is not given", () => {
  expect(chooseStack({ REDIS_URL: "r", DATABASE_URL: "" }, noEngine)).toEqual({
    kind: "embedded",
    why: "no Docker engine answers; REDIS_URL from the environment",
    given: { redis: "r" },
  });
});

test("nothing is started when all four are given, and Docker is not even asked", () => {
  const unasked = () => {
    throw new Error("asked");
  };
  expect(chooseStack(all, unasked)).toMatchObject({ kind: "external" });
});

test("DEV_STACK overrides the choice and complains about what it lacks", () => {
  expect(chooseStack({ DEV_STACK: "embedded" }, engine).kind).toBe("embedded");
  expect(chooseStack({ DEV_STACK: "external", ...all }, engine).kind).toBe("external");
  expect(() => chooseStack({ DEV_STACK: "external", DATABASE_URL: "d" }, engine)).toThrow(
    "KAFKA_BROKERS, SCHEMA_REGISTRY_URL, REDIS_URL not set",
  );
  expect(() => chooseStack({ DEV_STACK: "compose" }, noEngine)).toThrow("no Docker engine answers");
  expect(() => chooseStack({ DEV_STACK: "docker" }, engine)).toThrow('not "docker"');
});
