import { expect, test } from "bun:test";
import { examineConfig } from "../../../shared/role/config.ts";
import { kafkaSettings } from "../../../shared/kafka/settings.ts";
import { registrySettings } from "../../../shared/avro/registry.ts";
import { redisSettings } from "../../../shared/timers/wakeups.ts";

const settings = { kafka: kafkaSettings, registry: registrySettings, redis: redisSettings };
const bare = { KAFKA_BROKERS: "k:9092", SCHEMA_REGISTRY_URL: "http://r:8081", REDIS_URL: "redis://r:6379" };
const sasl = { KAFKA_SASL_USERNAME: "u", KAFKA_SASL_PASSWORD: "p4ssw0rd" };
const plain = { ...sasl, KAFKA_SASL_MECHANISM: "PLAIN" };
const registry = { SCHEMA_REGISTRY_USER: "u", SCHEMA_REGISTRY_PASSWORD: "p4ssw0rd" };

function complaintsOf(env: Readonly<Record<string, string>>): readonly string[] {
  const examined = examineConfig(settings, { ...bare, ...env });
  return "complaints" in examined ? examined.complaints : [];
}

test.each<[string, Record<string, string>, RegExp]>([
  ["SASL PLAIN without TLS", plain, /^KAFKA_SASL_MECHANISM=PLAIN/],
  ["the same by way of loopback", { ...plain, KAFKA_BROKERS: "127.0.0.1:9092" }, /^KAFKA_SASL_MECHANISM=PLAIN/],
  ["the registry's password over http", registry, /^SCHEMA_REGISTRY_URL/],
  ["the same in its address", { SCHEMA_REGISTRY_URL: "http://u:p4ssw0rd@r:8081" }, /^SCHEMA_REGISTRY_URL/],
  ["Redis's password without TLS", { REDIS_URL: "redis://:p4ssw0rd@r:6379" }, /^REDIS_URL/],
  ["the same with a user", { REDIS_URL: "redis://u:p4ssw0rd@r:6379/1" }, /^REDIS_URL/],
  ["the same in the query", { REDIS_URL: "redis://r:6379?password=p4ssw0rd" }, /^REDIS_URL/],
])("%s is refused, unless a setting says that the network is trusted", (_name, env, complaint) => {
  const complaints = complaintsOf(env);
  expect(complaints).toEqual([expect.stringMatching(complaint)]);
  expect(complaints.join()).toContain("ALLOW_PASSWORDS_IN_CLEAR=true");
  expect(complaints.join()).not.toContain("p4ssw0rd");
  expect(complaintsOf({ ...env, ALLOW_PASSWORDS_IN_CLEAR: "true" })).toEqual([]);
});

test.each<[string, Record<string, string>]>([
  ["no password", {}],
  ["SASL PLAIN over TLS", { ...plain, KAFKA_TLS: "true" }],
  ["SCRAM, which sends no password", { ...sasl, KAFKA_SASL_MECHANISM: "SCRAM-SHA-512" }],
  ["the registry's password over https", { ...registry, SCHEMA_REGISTRY_URL: "https://r" }],
  ["the registry's password on this machine", { ...registry, SCHEMA_REGISTRY_URL: "http://127.0.0.1:8081" }],
  ["Redis's password over TLS", { REDIS_URL: "rediss://:p4ssw0rd@r:6379" }],
  ["Redis's password on this machine", { REDIS_URL: "redis://:p4ssw0rd@[::1]:6379" }],
])("%s is taken", (_name, env) => {
  expect(complaintsOf(env)).toEqual([]);
});
