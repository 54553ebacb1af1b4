import { describe, expect, test } from "bun:test";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { roleNames } from "../../shared/messages/topics.ts";
import {
  monitoringFolder,
  readDashboard,
  readMetricsTable,
  readPrometheusConfig,
  readRules,
  readRunbooks,
  readTargets,
} from "../support/monitoring-files.ts";
import { misread } from "../support/misread.ts";
import { parsePromql } from "../support/promql/parse.ts";

const root = join(monitoringFolder, "../..");
const runbooks = readRunbooks();
const dashboard = readDashboard();
const panels = dashboard.panels.filter(({ type }) => type !== "row");

describe("runbooks", () => {
  test("every alert has one, and every one has its alert", () => {
    const rules = readRules();
    expect([...runbooks.keys()].toSorted()).toEqual(rules.map(({ alert }) => alert).toSorted());
    for (const { alert, annotations } of rules) {
      expect(annotations["runbook"]).toBe(`redpanda/monitoring/runbooks/${alert}.md`);
      expect(existsSync(join(root, annotations["runbook"] ?? ""))).toBe(true);
    }
  });

  for (const [alert, text] of runbooks)
    test(`${alert} says what to look at and do, by command lines that the operator's tool understands`, async () => {
      for (const part of [`# ${alert}\n`, "## Look\n", "## Do\n", "## Over when\n"]) expect(text).toContain(part);
      const lines = opsLines(text);
      expect(lines.length).toBeGreaterThan(0);
      for (const line of lines) expect(await misread(line)).toBeNull();
    });

  test("log events, metrics and settings they name are in the code", () => {
    const ofOthers = /^(pg_|max_connections$|nodejs_|process_)/;
    const code = ["shared", "workers"]
      .flatMap((top) => [...new Bun.Glob("**/*.{ts,sql}").scanSync({ cwd: join(root, top), absolute: true })])
      .map((file) => readFileSync(file, "utf8"))
      .join("\n");
    const named = [...runbooks].flatMap(([alert, text]) =>
      [...text.matchAll(/`([a-z]+(?:_[a-z]+)+|[A-Z]+(?:_[A-Z]+)+)[^`]*`|\b([A-Z]+(?:_[A-Z]+)+)\b/g)].map(
        ([, quoted, setting]) => ({ alert, name: quoted ?? setting ?? "" }),
      ),
    );
    expect(named.length).toBeGreaterThan(40);
    expect(named.filter(({ name }) => !ofOthers.test(name) && !code.includes(name))).toEqual([]);
  });

  test("a command, verb or option the tool does not have is noticed", async () => {
    for (const line of ["frobnicate", "topics frobnicate", "lag --frobnicate x", "outbox ls --frobnicate"])
      expect(await misread(line.split(" "))).not.toBeNull();
    expect(await misread(["topics", "ls"])).toBeNull();
  });
});

describe("the dashboard", () => {
  test("is one Grafana can load: unique panels that do not overlap, every query on the chosen source, units and legends", () => {
    expect(dashboard).toMatchObject({ uid: "taskwire", schemaVersion: expect.any(Number), title: "Taskwire" });
    expect(new Set(dashboard.panels.map(({ id }) => id)).size).toBe(dashboard.panels.length);
    const cells = dashboard.panels.flatMap(({ gridPos: { x, y, w, h } }) => {
      expect(x + w).toBeLessThanOrEqual(24);
      return Array.from({ length: w * h }, (_, index) => `${x + (index % w)},${y + Math.floor(index / w)}`);
    });
    expect(new Set(cells).size).toBe(cells.length);
    for (const { type, title, datasource, fieldConfig, targets = [] } of panels) {
      expect(["stat", "timeseries"]).toContain(type);
      expect({ title, unit: fieldConfig?.defaults.unit }).toEqual({ title, unit: expect.any(String) });
      expect(datasource).toEqual({ type: "prometheus", uid: "${datasource}" });
      expect(targets.length).toBeGreaterThan(0);
      expect(new Set(targets.map(({ refId }) => refId)).size).toBe(targets.length);
      for (const { expr, legendFormat } of targets) {
        parsePromql(expr);
        if (type === "timeseries") expect(legendFormat).toMatch(/\S/);
      }
    }
  });

  test("shows every metric of the table", () => {
    const asked = panels.flatMap(({ targets = [] }) => targets.map(({ expr }) => expr)).join("\n");
    const shown = new Set(asked.match(/[a-z]\w+/g)?.map((name) => name.replace(/_(bucket|count|sum)$/, "")));
    expect(
      readMetricsTable()
        .map(({ name }) => name)
        .filter((name) => !shown.has(name)),
    ).toEqual([]);
  });

  test("asks for groups, topics and roles by variables it defines", () => {
    const defined = dashboard.templating.list.map(({ name }) => name);
    const used = panels.flatMap(({ targets = [] }) => targets.flatMap(({ expr }) => expr.match(/\$\w+/g) ?? []));
    expect([...new Set(used)].toSorted()).toEqual(["$group", "$role", "$topic"]);
    expect(defined.toSorted()).toEqual(["datasource", "group", "role", "topic"]);
  });
});

describe("prometheus.yml", () => {
  test("reads the rules and scrapes every role, by the ports of the development run", () => {
    const config = readPrometheusConfig();
    expect(config).toMatchObject({
      rule_files: ["alerts.yml"],
      scrape_configs: [
        { job_name: "taskwire", honor_labels: true, file_sd_configs: [{ files: ["targets/roles.yml"] }] },
        { job_name: "redpanda", metrics_path: "/public_metrics" },
      ],
    });
    const targets = readTargets("targets/roles.yml");
    expect(targets.map(({ labels }) => labels["role"]).toSorted()).toEqual(roleNames.toSorted());
    const addresses = targets.flatMap(({ targets }) => targets);
    expect(new Set(addresses).size).toBe(roleNames.length);
  });
});

/**
 * The words after `npx bun run ops` of every line in a shell block, with the values that the block above them gives.
 */
function opsLines(text: string): readonly (readonly string[])[] {
  const shell = [...text.matchAll(/```sh\n([\s\S]*?)```/g)].map(([, lines = ""]) => lines).join("");
  const values = new Map([...shell.matchAll(/^(\w+)=(\S+)/gm)].map(([, name = "", value = ""]) => [name, value]));
  return [...shell.matchAll(/^(?:[A-Z_]+=\S+ )?npx bun run ops (.+)$/gm)].map(([, line = ""]) =>
    [...line.replaceAll(/\$(\w+)/g, (_, name: string) => values.get(name) ?? "").matchAll(/"([^"]*)"|(\S+)/g)].map(
      ([, quoted, plain]) => quoted ?? plain ?? "",
    ),
  );
}
