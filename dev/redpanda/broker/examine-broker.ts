import { anyOf, flag, listOf, oneOfThese, only, port, shape, text, whole } from "../shape.ts";
import { readYaml, type RedpandaFiles } from "../files.ts";
import { licensedSettings, propertiesOf } from "./properties.ts";

// The keys within the lists and sections of redpanda.yaml:
// src/v/config/{broker_authn_endpoint,rest_authn_endpoint,tls_config}.cc of Redpanda, and
// src/go/rpk/pkg/config/redpanda_yaml.go for the section that rpk reads. The names of the properties are in
// properties.tsv.
const address = { address: text, port };
const socket = only(address, ["address", "port"]);
const named = only({ ...address, name: text }, ["address", "port"]);
const listener = (...methods: readonly string[]) =>
  only({ ...address, name: text, authentication_method: oneOfThese(...methods) }, ["address", "port"]);
const tls = {
  enabled: flag,
  cert_file: text,
  key_file: text,
  p12_file: text,
  p12_password: text,
  truststore_file: text,
  crl_file: text,
  require_client_auth: flag,
  min_tls_version: oneOfThese("v1.0", "v1.1", "v1.2", "v1.3"),
  enable_renegotiation: flag,
  tls_v1_2_cipher_suites: text,
  tls_v1_3_cipher_suites: text,
};
const listenerTls = listOf(only({ ...tls, name: text }));
const clientTls = only({ key_file: text, cert_file: text, ca_file: text, insecure_skip_verify: flag });
const kafkaClient = only({
  ...propertiesOf("pandaproxy-client"),
  brokers: listOf(socket),
  broker_tls: only(tls),
});
const tuners =
  "network disk_scheduler disk_nomerges disk_write_cache disk_irq fstrim cpu aio_events clocksource swappiness transparent_hugepages coredump ballast_file";

const brokerFile = shape(
  only(
    {
      redpanda: only({
        ...propertiesOf("redpanda"),
        kafka_api: listOf(listener("none", "sasl", "mtls_identity")),
        kafka_api_tls: listenerTls,
        admin: anyOf(named, listOf(named)),
        admin_api_tls: listenerTls,
        rpc_server: socket,
        rpc_server_tls: only(tls),
        advertised_rpc_api: socket,
        advertised_kafka_api: listOf(named),
        seed_servers: listOf(anyOf(socket, only({ host: socket }, ["host"]))),
      }),
      pandaproxy: only({
        ...propertiesOf("pandaproxy"),
        pandaproxy_api: listOf(listener("none", "http_basic")),
        pandaproxy_api_tls: listenerTls,
        advertised_pandaproxy_api: listOf(named),
      }),
      pandaproxy_client: kafkaClient,
      schema_registry: only({
        ...propertiesOf("schema-registry"),
        schema_registry_api: listOf(listener("none", "http_basic")),
        schema_registry_api_tls: listenerTls,
      }),
      schema_registry_client: kafkaClient,
      rpk: only({
        kafka_api: only({
          brokers: listOf(text),
          tls: clientTls,
          sasl: only({ user: text, password: text, mechanism: oneOfThese("SCRAM-SHA-256", "SCRAM-SHA-512") }),
        }),
        admin_api: only({ addresses: listOf(text), tls: clientTls }),
        schema_registry: only({ addresses: listOf(text), tls: clientTls }),
        additional_start_flags: listOf(text),
        enable_memory_locking: flag,
        overprovisioned: flag,
        smp: whole,
        coredump_dir: text,
        ballast_file_path: text,
        ballast_file_size: text,
        well_known_io: text,
        ...Object.fromEntries(tuners.split(" ").map((name) => [`tune_${name}`, flag])),
      }),
    },
    ["redpanda"],
  ),
);
const clusterFile = shape(only(propertiesOf("cluster")));

/** A broker's own file, and files of the cluster's settings (`.bootstrap.yaml`). */
export function examineBroker(files: RedpandaFiles): readonly string[] {
  return [...files].flatMap(([path, content]) => {
    const name = path.split("/").at(-1);
    if (name !== "redpanda.yaml" && name !== "bootstrap.yaml") return [];
    const [document] = readYaml(content);
    const complaints =
      name === "redpanda.yaml"
        ? brokerFile(document)
        : [...clusterFile(document), ...licensedSettings(settingsOf(document))];
    return complaints.map((complaint) => `${path}: ${complaint}`);
  });
}

const settingsOf = (document: unknown): Readonly<Record<string, unknown>> =>
  typeof document === "object" && document !== null ? Object.fromEntries(Object.entries(document)) : {};
