import { afterEach, expect, test } from "bun:test";
import { join } from "node:path";
import { examineZones } from "../../../dev/diagnose/examine-zones.ts";
import { makeLog } from "../../../shared/role/log.ts";
import { makeMetrics } from "../../../shared/role/metrics.ts";
import { bundledZones } from "../../../shared/zones/bundled-zones.ts";
import { startZones } from "../../../shared/zones/zone-setting.ts";
import type { ChosenZones } from "../../../shared/zones/choose-zones.ts";
import { useZones } from "../../../shared/zones/zones-in-use.ts";
import { makeZoneDirectory } from "../../support/zone-directory.ts";

const root = join(import.meta.dir, "../../..");
afterEach(() => useZones(bundledZones()));

/**
 * Starts a role that has everything it needs to listen and nothing to go on with, and reads its log until it says that
 * it starts.
 */
async function startLines(zoneinfoDir: string): Promise<readonly string[]> {
  const child = Bun.spawn([process.execPath, "--no-env-file", "workers/outbox-relay/main.ts"], {
    cwd: root,
    env: {
      PATH: process.env["PATH"] ?? "",
      PORT: "0",
      DATABASE_URL: "postgres://127.0.0.1:1/d",
      KAFKA_BROKERS: "127.0.0.1:1",
      ZONEINFO_DIR: zoneinfoDir,
    },
    stdout: "pipe",
    stderr: "ignore",
  });
  let text = "";
  for await (const chunk of child.stdout) {
    text += Buffer.from(chunk).toString();
    if (/"event":"(?:starting|configuration_wrong)".*\n/.test(text)) break;
  }
  child.kill("SIGKILL");
  await child.exited;
  return text.trimEnd().split("\n");
}

const find = (lines: readonly string[], event: string): unknown =>
  lines.map((line) => JSON.parse(line) as Readonly<{ event: string }>).find((line) => line.event === event);

test("a role says at its start which zone data it has", async () => {
  expect(find(await startLines(""), "starting")).toMatchObject({ zones: "2026f", zonesFrom: "bundled" });
  using directory = makeZoneDirectory({ UTC: "UTC" }, "2027a");
  expect(find(await startLines(directory.path), "starting")).toMatchObject({
    zones: "2027a",
    zonesFrom: directory.path,
  });
});

test("data older than the bundled ones are passed over in a line of their own", async () => {
  using directory = makeZoneDirectory({ UTC: "UTC" }, "2025b");
  const lines = await startLines(directory.path);
  expect(find(lines, "zone_data_passed_over")).toMatchObject({ level: "warn", edition: "2025b", used: "2026f" });
  expect(find(lines, "starting")).toMatchObject({ zones: "2026f", zonesFrom: "bundled" });
}, 60_000);

test("a directory that is none is a mistake of the configuration", async () => {
  expect(find(await startLines("/no/such/zones"), "configuration_wrong")).toMatchObject({
    complaints: [expect.stringContaining("ZONEINFO_DIR /no/such/zones cannot be read: ENOENT")],
  });
}, 60_000);

test.each([
  [{ data: bundledZones(), passedOver: null }, "2026-12-31T00:00:00Z", 'edition="2026f",source="bundled"', 0],
  [{ data: bundledZones(), passedOver: null }, "2027-01-02T00:00:00Z", 'edition="2026f",source="bundled"', 86_400],
  [
    { data: { ...bundledZones(), version: "2025b", source: "/zones" }, passedOver: null },
    "2027-01-01T00:00:00Z",
    'edition="2025b",source="directory"',
    365 * 86_400,
  ],
] satisfies [ChosenZones, string, string, number][])(
  "metrics tell the edition and its age %#",
  async (chosen, now, labels, age) => {
    const metrics = makeMetrics("task-service", { process: false });
    const log = makeLog({ role: "task-service" }, "error");
    startZones(chosen, { log, metrics, now: () => new Date(now) }).measure();
    const text = await metrics.text();
    expect(text).toContain(`zone_data_info{${labels},role="task-service"} 1\n`);
    expect(text).toContain(`zone_data_age_seconds{role="task-service"} ${age}\n`);
  },
);

test("doctor says which zone data the roles would use, or why they would not start", () => {
  expect(examineZones(null)).toEqual({ state: "good", what: "zone data", found: "IANA 2026f, bundled" });
  using older = makeZoneDirectory({ UTC: "UTC" }, "2025b");
  const found = `IANA 2026f, bundled; ${older.path} has 2025b, which is older`;
  expect(examineZones(older.path)).toMatchObject({ state: "note", found });
  expect(examineZones("/no/such/zones")).toMatchObject({
    state: "bad",
    found: expect.stringContaining("/no/such/zones cannot be read"),
  });
});
