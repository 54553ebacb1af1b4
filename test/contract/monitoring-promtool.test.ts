import { expect, test } from "bun:test";
import { monitoringFolder } from "../support/monitoring-files.ts";

// The same rules and tests as test/unit/monitoring-alerts.test.ts, by Prometheus's own tool. Nothing depends on it: the unit tests
// drive every condition on any machine, so one without promtool skips this even where everything is required.
const promtool = process.env["PROMTOOL"] ?? Bun.which("promtool");
const why = promtool === null ? " (skipped: no promtool on PATH or in PROMTOOL)" : "";

for (const args of [
  ["check", "config", "prometheus.yml"],
  ["check", "rules", "alerts.yml"],
  ["test", "rules", "alerts.test.yml"],
])
  test.skipIf(promtool === null)(`promtool has nothing against: ${args.join(" ")}${why}`, async () => {
    const child = Bun.spawn([promtool ?? "", ...args], { cwd: monitoringFolder, stdout: "pipe", stderr: "pipe" });
    const said = await Promise.all([new Response(child.stdout).text(), new Response(child.stderr).text()]);
    expect({ code: await child.exited, said: said.join("") }).toEqual({
      code: 0,
      said: expect.stringContaining("SUCCESS"),
    });
  });
