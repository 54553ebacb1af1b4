import { expect, test } from "bun:test";
import { z } from "@hono/zod-openapi";
import { defineAction } from "../../../workers/operator/action.ts";
import { actions } from "../../../workers/operator/commands.ts";
import { commands } from "../../../workers/operator/ops.ts";
import { optionsOf, readCommand } from "../../../workers/operator/read-command.ts";

test("the help of a command names each option of its actions", () => {
  const silent = Object.entries(commands).flatMap(([word, command]) =>
    "actions" in command
      ? Object.keys(optionsOf(Object.values(command.actions)))
          .filter((option) => !new RegExp(`--${option}(?![a-z-])`).test(command.help))
          .map((option) => `${word} --${option}`)
      : [],
  );
  expect(silent).toEqual([]);
});

test("no two actions have one route, and what a path names is a field of the input", () => {
  const routes = actions.flatMap(({ route }) => (route === null ? [] : [route]));
  expect(routes).toEqual([...new Set(routes)]);
  for (const { route, input } of actions) {
    const names = [...(route ?? "").matchAll(/:(\w+)/g)].map(([, name = ""]) => name);
    expect(Object.keys(input.shape)).toEqual(expect.arrayContaining(names));
    // Such an input is taken apart for the path and the body, and rules between its fields would be lost.
    if (names.length > 0) expect([route, input.def.checks ?? []]).toEqual([route, []]);
  }
});

const probe = defineAction({
  route: "POST /api/probe",
  input: z.strictObject({
    filter: z.strictObject({ key: z.string().optional() }).optional(),
    ids: z.array(z.string()).optional(),
    maxLag: z.number().int().min(1).max(10).default(5),
    all: z.literal(true).optional(),
  }),
  cli: { options: { ids: "id" } },
  change: { dryRun: false },
  run: (_, input) => Promise.resolve(input),
  print: () => "",
});

test("an input is read of options: parts of a part by their own names, lists by several, numbers above the API's too", async () => {
  expect(Object.keys(optionsOf([probe])).toSorted()).toEqual(
    ["all", "by", "dry-run", "id", "key", "max-lag", "reason"].toSorted(),
  );
  const values = { key: "a", id: ["1", "2"], "max-lag": "5000", all: true };
  expect(await readCommand(probe, [], values)).toEqual({
    filter: { key: "a" },
    ids: ["1", "2"],
    maxLag: 5000,
    all: true,
  });
  expect(await readCommand(probe, [], {})).toEqual({ maxLag: 5 });
});

test.each([
  [{ "max-lag": "0" }, "--max-lag must be 1 or more"],
  [{ "max-lag": "many" }, '--max-lag must be a whole number, not "many"'],
  [{ key: ["a", "b"] }, "one --key at a time"],
])("%p is a mistake of the command line", async (values, said) => {
  expect(await readCommand(probe, [], values).catch(String)).toContain(said);
});
