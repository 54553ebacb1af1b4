import { describe, expect, test } from "bun:test";
import { checkout } from "../../../dev/installed.ts";
import { propertiesVersion } from "../../../dev/redpanda/broker/properties.ts";
import { consoleVersion } from "../../../dev/redpanda/console/examine-console.ts";
import { readRedpandaFiles } from "../../../dev/redpanda/files.ts";
import { shellLines, wordsOf } from "../../../dev/redpanda/pages/examine-pages.ts";
import { readElsewhere, validators } from "../../../dev/redpanda/validators.ts";
import { misread } from "../../support/misread.ts";

const files = readRedpandaFiles(checkout);
/** What those say who look at such files. */
const complaintsAbout = async (changed: ReadonlyMap<string, string>): Promise<readonly string[]> => {
  const asked = validators.filter(({ covers }) => [...changed.keys()].some((path) => covers.test(path)));
  return (await Promise.all(asked.map(({ examine }) => examine(changed)))).flat();
};

test("every file has a validator, or a reason to have none", () => {
  const alone = [...files.keys()].filter((path) => !validators.some(({ covers }) => covers.test(path)));
  expect(alone.toSorted()).toEqual(Object.keys(readElsewhere).toSorted());
});

test("the keys that files are held against are those of the releases that run", () => {
  const compose = files.get("compose.yaml") ?? "";
  expect(compose).toContain(`/redpanda:\${REDPANDA_TAG:-${propertiesVersion}}`);
  expect(compose).toContain(`/console:\${REDPANDA_CONSOLE_TAG:-${consoleVersion}}`);
});

test("what pages have the operator's tool do, it understands", async () => {
  const pages = [...files].filter(([path]) => path.endsWith(".md") && !path.startsWith("monitoring/runbooks/"));
  const lines = pages.flatMap(([path, text]) =>
    shellLines(text).flatMap((line) => {
      const [, words] = /npx bun run ops (.+)$/.exec(line) ?? [];
      return words === undefined ? [] : [{ path, words: wordsOf(words) }];
    }),
  );
  expect(lines.length).toBeGreaterThan(10);
  for (const { path, words } of lines) expect([path, words, await misread(words)]).toEqual([path, words, null]);
});

describe("a misspelling is found:", () => {
  test.each([
    [
      "a setting of Redpanda's",
      "bootstrap.yaml",
      "auto_create_topics_enabled",
      "auto_create_topic_enabled",
      "auto_create_topic_enabled is not a key here",
    ],
    [
      "a value of such a setting",
      "bootstrap.yaml",
      'write_caching_default: "false"',
      'write_caching_default: "off"',
      "write_caching_default must be equal to one of the allowed values: true, false, disabled",
    ],
    [
      "a type of such a setting",
      "bootstrap.yaml",
      "group_initial_rebalance_delay: 0",
      'group_initial_rebalance_delay: "0s"',
      "group_initial_rebalance_delay must be integer",
    ],
    [
      "what needs a licence",
      "bootstrap.yaml",
      "auto_create_topics_enabled: false",
      "audit_enabled: true",
      "audit_enabled: true needs an Enterprise licence",
    ],
    ["a key of Console's", "console.yaml", "schemaRegistry:", "schemaRegsitry:", "schemaRegsitry is not a key here"],
    [
      "a place that Console moved in version 3",
      "console.yaml",
      "kafka:\n",
      "kafka:\n  schemaRegistry: { enabled: true }\n",
      "kafka.schemaRegistry is not a key here",
    ],
    [
      "a key of a service",
      "compose.yaml",
      "    healthcheck:",
      "    healtcheck:",
      "services.redpanda.healtcheck is not a key here",
    ],
    [
      "a key of a health check",
      "compose.yaml",
      "      retries: 60",
      "      retires: 60",
      "services.redpanda.healthcheck.retires is not a key here",
    ],
    ["a key of the compose file", "compose.yaml", "\nvolumes:\n", "\nvolume:\n", "volume is not a key here"],
    [
      "an option that Redpanda is started with",
      "compose.yaml",
      "--advertise-rpc-addr",
      "--advertised-rpc-addr",
      "redpanda: rpk redpanda start has no option --advertised-rpc-addr",
    ],
    [
      "a tag that is not pinned",
      "compose.yaml",
      ":${REDPANDA_TAG:-v26.1.14}",
      ":latest",
      "its image's tag is not pinned",
    ],
    [
      "a key of Prometheus'",
      "monitoring/prometheus.yml",
      "    honor_labels",
      "    honour_labels",
      "scrape_configs.0.honour_labels is not a key here",
    ],
    [
      "a key of an alert",
      "monitoring/alerts.yml",
      "annotations:",
      "anotations:",
      "groups.0.rules.0.anotations is not a key here",
    ],
    ["a key of a scrape target", "monitoring/targets/roles.yml", "labels:", "label:", "0.label is not a key here"],
    [
      "a key of a Grafana source",
      "monitoring/grafana/datasources/prometheus.yml",
      "isDefault",
      "is_default",
      "datasources.0.is_default is not a key here",
    ],
    [
      "a key of a Grafana provider",
      "monitoring/grafana/dashboards/taskwire.yml",
      "allowUiUpdates",
      "allowUIUpdates",
      "providers.0.allowUIUpdates is not a key here",
    ],
  ])("%s", async (_, path, right, wrong, complaint) => {
    const text = files.get(path) ?? "";
    expect(text).toContain(right);
    const planted = new Map([[path, text.replace(right, wrong)]]);
    expect((await complaintsAbout(planted)).join("\n")).toContain(
      `${path}: ${complaint}`.replace(/: its image/, ": redpanda: its image"),
    );
  });

  test.each([
    ["rpk topik list", "rpk has no command topik list"],
    ["rpk topic consume reminders --nmu 1", "rpk topic consume has no option --nmu"],
    ["rpk group sek x --to end", "rpk group has no command sek"],
    ["rpk topic create x -c retention.millis=1", "rpk topic create: Redpanda has no property retention.millis"],
    [
      "rpk cluster config set write_cashing_default false",
      "rpk cluster config set: Redpanda has no property write_cashing_default",
    ],
  ])("a page that says %s", async (line, complaint) => {
    const planted = new Map([["page.md", `\`\`\`sh\n${line}   # as it is\n\`\`\`\n`]]);
    expect(await complaintsAbout(planted)).toEqual([`page.md: ${complaint}`]);
  });

  test("a link that leads nowhere", async () => {
    const planted = new Map([["page.md", "[a](bakcup.md), [b](backup.md), [c](https://example.com/x.md)"]]);
    expect(await complaintsAbout(planted)).toEqual(["page.md: leads to bakcup.md, which is not there"]);
  });
});
