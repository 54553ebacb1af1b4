import { expect, test } from "bun:test";
import { makeLog } from "../../../shared/role/log.ts";

function setup(level: "debug" | "warn" = "debug") {
  const lines: Record<string, unknown>[] = [];
  return { lines, log: makeLog({ role: "operator" }, level, (line) => lines.push(JSON.parse(line))) };
}

test("a line carries its level, its event and the fields of its log", () => {
  const { lines, log } = setup();
  log.with({ topic: "task-events" }).info("handled", { offset: 7n });
  expect(lines).toEqual([
    { time: expect.any(String), level: "info", role: "operator", topic: "task-events", event: "handled", offset: 7 },
  ]);
});

test("an error is written with its code and the causes below it", () => {
  const { lines, log } = setup();
  const cause = Object.assign(new Error("connection refused"), { code: "ECONNREFUSED" });
  log.error("failed", { error: new Error("no database", { cause }) });
  expect(lines[0]).toMatchObject({
    error: { message: "no database", cause: { message: "connection refused", code: "ECONNREFUSED" } },
  });
});

test("lines below the level are not written", () => {
  const { lines, log } = setup("warn");
  log.info("quiet");
  log.warn("loud");
  expect(lines.map((line) => line["event"])).toEqual(["loud"]);
});

test("what would steer a terminal is escaped, and a reader of JSON has it as it was", () => {
  const lines: string[] = [];
  const said = "bell\u0007 red\u001b[31m csi\u009b1m delete\u007f right to left \u202e\u2066 line\u2028";
  makeLog({}, "info", (line) => lines.push(line)).info("failed", { said });
  expect(lines.join()).toMatch(/^[\x20-\x7e]+$/);
  expect(JSON.parse(lines.join())).toMatchObject({ said });
});
