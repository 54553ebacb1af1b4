import { expect, test } from "bun:test";
import { openConsoleLines } from "../../../dev/run/console-lines.ts";
import { readableLine } from "../../../dev/run/readable-line.ts";
import { makeLog } from "../../../shared/role/log.ts";

const written = (act: (log: ReturnType<typeof makeLog>) => void): string => {
  const lines: string[] = [];
  act(makeLog({ role: "task-service", instance: "1" }, "info", (line) => lines.push(line)));
  return readableLine(lines.join("\n"));
};

test("a log line is shown as time, level, event and fields, without the role that stands before it", () => {
  const line = written((log) => log.info("request", { route: "/v1/tasks", ms: 3, shards: [1, 2] }));
  expect(line).toMatch(/^\d\d:\d\d:\d\d\.\d{3} info  request route=\/v1\/tasks ms=3 shards=\[1,2\]$/);
});

test("an error is shown with its stack and its causes", () => {
  const error = new Error("no order", { cause: new Error("no broker") });
  const line = written((log) => log.error("failed", { error }));
  expect(line).toMatch(/ error failed\nError: no order\n +at [\s\S]+\ncaused by:\nError: no broker\n +at /);
});

test.each(["plain text", "", '{"time":"2030-01-01T', '{"other":1}', "{}"])("%p comes back as it is", (line) => {
  expect(readableLine(line)).toBe(line);
});

test("no field of a log line rings or steers the terminal, nor does another line of a role", () => {
  const shown: string[] = [];
  const print = openConsoleLines({ names: ["kafka"], coloured: true, write: (text) => shown.push(text) }).from("kafka");
  print(written((log) => log.warn("refused", { said: "ding\u0007 \u001b]0;title\u0007 \u202e" })));
  print("plain \u001b[2J\ttext\r");
  expect(shown.map((line) => line.replace("\u001b[36mkafka │\u001b[0m ", ""))).toEqual([
    expect.stringContaining("said=ding\\u0007 \\u001b]0;title\\u0007 \\u202e\n"),
    "plain \\u001b[2J\ttext\\u000d\n",
  ]);
});
