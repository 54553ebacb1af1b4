import { expect, test } from "bun:test";
import { join } from "node:path";

type Service = {
  image: string;
  command?: string[];
  entrypoint?: string[];
  profiles?: string[];
  ports?: string[];
  healthcheck?: unknown;
  volumes?: string[];
  environment?: Record<string, string>;
};
const folder = join(import.meta.dir, "../../../redpanda");
const parse = async <T>(name: string): Promise<T> => Bun.YAML.parse(await Bun.file(join(folder, name)).text()) as T;
const { services, volumes } = await parse<{ services: Record<string, Service>; volumes: Record<string, unknown> }>(
  "compose.yaml",
);
const service = (name: string): Service => services[name] ?? { image: "" };

test("the broker acknowledges what is on disk", async () => {
  const command = service("redpanda").command ?? [];
  expect(command.slice(0, 2)).toEqual(["redpanda", "start"]);
  // rpk takes the mode dev-container by itself, with fsync off and write caching on, while redpanda.yaml says
  // developer_mode.
  expect(service("redpanda").entrypoint?.[2]).toStartWith(
    "rpk redpanda config set redpanda.developer_mode false && exec rpk ",
  );
  expect(command).toContain("--unsafe-bypass-fsync=false");
  expect(command.join(" ")).not.toMatch(/dev-container/);
  const settings = await parse<Record<string, unknown>>("bootstrap.yaml");
  expect(settings).toMatchObject({ auto_create_topics_enabled: false, write_caching_default: "false" });
  expect(service("redpanda").volumes).toContain("./bootstrap.yaml:/etc/redpanda/.bootstrap.yaml:ro");
});

test("the address the broker tells its clients follows the published port", () => {
  const advertised = service("redpanda").command?.find((flag) => flag.startsWith("--advertise-kafka-addr="));
  expect(advertised).toContain("external://127.0.0.1:${KAFKA_PORT:-9092}");
  expect(service("redpanda").ports).toContain("127.0.0.1:${KAFKA_PORT:-9092}:19092");
});

test("Redis never evicts and keeps what it acknowledged", () => {
  const command = (service("redis").command ?? []).join(" ");
  expect(command).toContain("--maxmemory-policy noeviction");
  expect(command).toContain("--appendonly yes");
});

test("every image has a pinned tag that the environment may replace, and every port stays on this machine", () => {
  for (const [name, { image, ports = [] }] of Object.entries(services)) {
    expect([name, image]).toEqual([name, expect.stringMatching(/:\$\{[A-Z_]+_TAG:-v?\d+\.\d+(\.\d+)?\}$/)]);
    for (const port of ports) expect(port).toStartWith("127.0.0.1:${");
  }
});

test("Prometheus and Grafana come with the profile only, and are reached from this machine alone", () => {
  const chosen = Object.entries(services).filter(([, { profiles }]) => profiles?.includes("monitoring"));
  expect(chosen.map(([name]) => name)).toEqual(["prometheus", "grafana"]);
  expect(service("prometheus").command).toContain("--web.listen-address=127.0.0.1:${PROMETHEUS_PORT:-9095}");
  expect(service("grafana").environment).toMatchObject({ GF_SERVER_HTTP_ADDR: "127.0.0.1" });
});

test("whatever others wait for has a health check, and whatever stores has a volume", () => {
  for (const name of ["redpanda", "postgres", "redis", "prometheus", "grafana"]) {
    expect([name, service(name).healthcheck]).toEqual([name, expect.objectContaining({ test: expect.anything() })]);
    expect(Object.keys(volumes)).toContain(name);
    expect((service(name).volumes ?? []).some((volume) => volume.startsWith(`${name}:/`))).toBe(true);
  }
});

test("the console is configured as version 3 reads it", async () => {
  const settings = await parse<Record<string, Record<string, unknown>>>("console.yaml");
  expect(Object.keys(settings)).toEqual(["kafka", "schemaRegistry", "redpanda"]);
  expect(Object.keys(settings["kafka"] ?? {})).toEqual(["brokers"]);
  expect(service("console").image).toContain(":-v3.");
});
