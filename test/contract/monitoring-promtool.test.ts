import { afterAll, expect, test } from "bun:test";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { findDebianProgram } from "../support/debian-program.ts";
import { monitoringFolder, readRules, readRuleTests } from "../support/monitoring-files.ts";

// The same rules and tests as test/unit/redpanda/monitoring-alerts.test.ts, by Prometheus's own tool. The unit tests
// drive every condition on any machine, so one that has no promtool and cannot unpack Debian's skips this even where
// everything is required.
const own = process.env["PROMTOOL"];
const promtool =
  own === undefined
    ? findDebianProgram("promtool", { at: "usr/bin/promtool", packages: ["prometheus"] })
    : { program: own, env: {} };
const why = promtool === null ? " (skipped: no promtool in PROMTOOL, on PATH or among Debian's packages)" : "";

const folder = mkdtempSync(join(tmpdir(), "taskwire-alerts-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/**
 * The tests of alerts.test.yml, each in a file with the one rule that it asks for: the tool evaluates every rule of a
 * file at every instant of every test, which takes a minute of CPU; so it takes some seconds. `--long` takes the file
 * as it stands.
 */
function testFiles(): readonly string[] {
  if (process.env["LONG_TESTS"] === "1") return ["alerts.test.yml"];
  const { evaluation_interval, tests } = readRuleTests();
  return [...Map.groupBy(tests, ({ name }) => name)].map(([name, ofAlert]) => {
    const rules = readRules().filter(({ alert }) => alert === name);
    expect({ name, rules: rules.length }).toEqual({ name, rules: 1 });
    const file = join(folder, `${name}.json`);
    writeFileSync(join(folder, `${name}.rules.json`), JSON.stringify({ groups: [{ name, rules }] }));
    writeFileSync(file, JSON.stringify({ rule_files: [`${name}.rules.json`], evaluation_interval, tests: ofAlert }));
    return file;
  });
}

for (const args of [
  ["check", "config", "prometheus.yml"],
  ["check", "rules", "alerts.yml"],
  ["test", "rules", "alerts.test.yml"],
])
  test.skipIf(promtool === null)(
    `promtool has nothing against: ${args.join(" ")}${why}`,
    async () => {
      const files = args[0] === "test" ? ["test", "rules", ...testFiles()] : args;
      const child = Bun.spawn([promtool?.program ?? "", ...files], {
        cwd: monitoringFolder,
        env: { ...process.env, ...promtool?.env },
        stdout: "pipe",
        stderr: "pipe",
      });
      const said = await Promise.all([new Response(child.stdout).text(), new Response(child.stderr).text()]);
      expect({ code: await child.exited, said: said.join("") }).toEqual({
        code: 0,
        said: expect.stringContaining("SUCCESS"),
      });
    },
    300_000,
  );
