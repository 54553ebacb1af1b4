import { readFileSync } from "node:fs";
import { flag, list, optional, text, type Config } from "../config.ts";

/** How to reach Kafka. `prefix` stands before every topic and group on the broker, so that deployments can share one. */
export const kafkaSettings = {
  brokers: list("KAFKA_BROKERS"),
  prefix: text("KAFKA_PREFIX", ""),
  tls: flag("KAFKA_TLS", false),
  tlsCaFile: optional("KAFKA_TLS_CA_FILE"),
  tlsCertFile: optional("KAFKA_TLS_CERT_FILE"),
  tlsKeyFile: optional("KAFKA_TLS_KEY_FILE"),
  saslMechanism: optional("KAFKA_SASL_MECHANISM"),
  saslUsername: optional("KAFKA_SASL_USERNAME"),
  saslPassword: optional("KAFKA_SASL_PASSWORD"),
};
export type KafkaConfig = Config<typeof kafkaSettings>;

const mechanisms = ["PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512"] as const;

/**
 * The options every client of this deployment has in common. `metadataMaxAge` bounds how long a moved leader goes unnoticed.
 * Throws for a SASL mechanism it does not know and for certificate files it cannot read.
 */
export function clientOptions(config: KafkaConfig, clientId: string) {
  const mechanism = mechanisms.find((known) => known === config.saslMechanism);
  if (config.saslMechanism !== null && mechanism === undefined)
    throw new Error(`KAFKA_SASL_MECHANISM must be one of ${mechanisms.join(", ")}, not "${config.saslMechanism}"`);
  return {
    clientId,
    bootstrapBrokers: [...config.brokers],
    connectTimeout: 5_000,
    requestTimeout: 30_000,
    retryDelay: 500,
    metadataMaxAge: 30_000,
    autocreateTopics: false,
    strict: true,
    ...(config.tls ? { tls: tlsOptions(config) } : {}),
    ...(mechanism === undefined
      ? {}
      : { sasl: { mechanism, username: config.saslUsername ?? "", password: config.saslPassword ?? "" } }),
  };
}
export type ClientOptions = ReturnType<typeof clientOptions>;

function tlsOptions(config: KafkaConfig) {
  const read = (path: string) => readFileSync(path, "utf8");
  return {
    ...(config.tlsCaFile === null ? {} : { ca: [read(config.tlsCaFile)] }),
    ...(config.tlsCertFile === null ? {} : { cert: read(config.tlsCertFile) }),
    ...(config.tlsKeyFile === null ? {} : { key: read(config.tlsKeyFile) }),
  };
}
