import { anyOf, duration, flag, listOf, mapOf, oneOfThese, only, shape, text, whole } from "../shape.ts";
import { readYaml, type RedpandaFiles } from "../files.ts";

// The keys that these files use and may come to use, of Prometheus 3 (docs/configuration of
// github.com/prometheus/prometheus) and of Grafana 12 (conf/provisioning of github.com/grafana/grafana). Neither
// publishes a schema.
const scalar = anyOf(text, { type: "number" }, flag);
const tls = only({
  ca_file: text,
  cert_file: text,
  key_file: text,
  server_name: text,
  insecure_skip_verify: flag,
  min_version: text,
});
const basicAuth = only({ username: text, username_file: text, password: text, password_file: text });
const authorization = only({ type: text, credentials: text, credentials_file: text });
const staticTargets = only({ targets: listOf(text), labels: mapOf(text) }, ["targets"]);
const relabel = only({
  source_labels: listOf(text),
  separator: text,
  target_label: text,
  regex: text,
  modulus: whole,
  replacement: text,
  action: oneOfThese(
    "replace",
    "keep",
    "drop",
    "hashmod",
    "labelmap",
    "labeldrop",
    "labelkeep",
    "lowercase",
    "uppercase",
    "keepequal",
    "dropequal",
  ),
});
const discovery = {
  static_configs: listOf(staticTargets),
  file_sd_configs: listOf(only({ files: listOf(text), refresh_interval: duration }, ["files"])),
  dns_sd_configs: listOf(only({ names: listOf(text), type: text, port: whole, refresh_interval: duration }, ["names"])),
  kubernetes_sd_configs: listOf({ type: "object" }),
};
const transport = { scheme: oneOfThese("http", "https"), tls_config: tls, basic_auth: basicAuth, authorization };
const scrape = only(
  {
    ...discovery,
    ...transport,
    job_name: text,
    scrape_interval: duration,
    scrape_timeout: duration,
    metrics_path: text,
    honor_labels: flag,
    honor_timestamps: flag,
    params: mapOf(listOf(text)),
    sample_limit: whole,
    relabel_configs: listOf(relabel),
    metric_relabel_configs: listOf(relabel),
  },
  ["job_name"],
);
const prometheus = shape(
  only(
    {
      global: only({
        scrape_interval: duration,
        scrape_timeout: duration,
        evaluation_interval: duration,
        external_labels: mapOf(text),
      }),
      rule_files: listOf(text),
      scrape_configs: listOf(scrape),
      alerting: only({
        alert_relabel_configs: listOf(relabel),
        alertmanagers: listOf(
          only({ ...discovery, ...transport, path_prefix: text, timeout: duration, api_version: text }),
        ),
      }),
      remote_write: listOf({ type: "object" }),
      remote_read: listOf({ type: "object" }),
      storage: { type: "object" },
    },
    ["scrape_configs"],
  ),
);
const rule = only({
  alert: text,
  record: text,
  expr: anyOf(text, { type: "number" }),
  for: duration,
  keep_firing_for: duration,
  labels: mapOf(text),
  annotations: mapOf(text),
});
const rules = shape(
  only(
    {
      groups: listOf(
        only({ name: text, interval: duration, limit: whole, labels: mapOf(text), rules: listOf(rule) }, [
          "name",
          "rules",
        ]),
      ),
    },
    ["groups"],
  ),
);
const ruleTests = shape(
  only(
    {
      rule_files: listOf(text),
      evaluation_interval: duration,
      group_eval_order: listOf(text),
      fuzzy_compare: flag,
      tests: listOf(
        only({
          name: text,
          interval: duration,
          input_series: listOf(only({ series: text, values: text }, ["series", "values"])),
          alert_rule_test: listOf(
            only({
              eval_time: duration,
              alertname: text,
              exp_alerts: listOf(only({ exp_labels: mapOf(text), exp_annotations: mapOf(text) })),
            }),
          ),
          promql_expr_test: listOf(
            only({
              expr: text,
              eval_time: duration,
              exp_samples: listOf(only({ labels: text, value: scalar, histogram: text })),
            }),
          ),
          external_labels: mapOf(text),
          external_url: text,
        }),
      ),
    },
    ["rule_files", "tests"],
  ),
);
const sources = shape(
  only(
    {
      apiVersion: whole,
      prune: flag,
      deleteDatasources: listOf(only({ name: text, orgId: whole })),
      datasources: listOf(
        only(
          {
            name: text,
            uid: text,
            type: text,
            access: oneOfThese("proxy", "direct"),
            orgId: whole,
            url: text,
            user: text,
            database: text,
            basicAuth: flag,
            basicAuthUser: text,
            withCredentials: flag,
            isDefault: flag,
            jsonData: { type: "object" },
            secureJsonData: mapOf(text),
            version: whole,
            editable: flag,
          },
          ["name", "type"],
        ),
      ),
    },
    ["apiVersion"],
  ),
);
const dashboards = shape(
  only(
    {
      apiVersion: whole,
      providers: listOf(
        only(
          {
            name: text,
            orgId: whole,
            folder: text,
            folderUid: text,
            type: text,
            disableDeletion: flag,
            updateIntervalSeconds: whole,
            allowUiUpdates: flag,
            options: only({ path: text, foldersFromFilesStructure: flag }, ["path"]),
          },
          ["name", "options"],
        ),
      ),
    },
    ["apiVersion"],
  ),
);
const dashboard = shape({ type: "object", required: ["uid", "title", "schemaVersion", "panels", "templating"] });

const readers: readonly (readonly [RegExp, (document: unknown) => readonly string[]])[] = [
  [/^monitoring\/prometheus\.yml$/, prometheus],
  [/^monitoring\/alerts\.yml$/, rules],
  [/^monitoring\/alerts\.test\.yml$/, ruleTests],
  [/^monitoring\/(targets|compose)\/[^/]+\.yml$/, shape(listOf(staticTargets))],
  [/^monitoring\/grafana\/datasources\/[^/]+\.yml$/, sources],
  [/^monitoring\/grafana\/dashboards\/[^/]+\.yml$/, dashboards],
  [/^monitoring\/dashboard\.json$/, dashboard],
];

/** What Prometheus and Grafana read. Queries, alerts and panels are tested in the tests named monitoring-*. */
export function examineMonitoring(files: RedpandaFiles): readonly string[] {
  return [...files].flatMap(([path, content]) => {
    const examine = readers.find(([pattern]) => pattern.test(path))?.[1];
    return examine === undefined ? [] : examine(readYaml(content)[0]).map((complaint) => `${path}: ${complaint}`);
  });
}
