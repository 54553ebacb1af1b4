import { expect, test } from "bun:test";
import { readdirSync } from "node:fs";
import { join } from "node:path";
import { parseProcfile } from "../../../dev/run/procfile.ts";

const root = join(import.meta.dir, "../../..");

test("a Procfile is names and commands; comments and blank lines are passed over", () => {
  expect(parseProcfile("# roles\nweb: bun web.ts --port 1\r\n\n  worker-2:bun worker.ts: x\n")).toEqual([
    { name: "web", command: "bun web.ts --port 1" },
    { name: "worker-2", command: "bun worker.ts: x" },
  ]);
});

test("a line that is neither is refused with its number", () => {
  expect(() => parseProcfile("web: bun web.ts\nworker bun")).toThrow("line 2");
  expect(() => parseProcfile("web:")).toThrow("line 1");
});

test("a name stands once", () => {
  expect(() => parseProcfile("web: a\nweb: b")).toThrow("line 2 names web a second time");
});

test("the Procfile names every folder of workers, each by its main.ts", async () => {
  const lines = parseProcfile(await Bun.file(join(root, "Procfile")).text());
  expect(lines.map((line) => line.command)).toEqual(lines.map((line) => `bun workers/${line.name}/main.ts`));
  const folders = readdirSync(join(root, "workers"), { withFileTypes: true }).filter((entry) => entry.isDirectory());
  expect(folders.map((folder) => folder.name).toSorted()).toEqual(lines.map((line) => line.name).toSorted());
});
