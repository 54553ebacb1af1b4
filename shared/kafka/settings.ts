import { readFileSync } from "node:fs";
import { brokerList, checked, flag, oneOf, optional, optionalOneOf, text, type Config } from "../role/config.ts";
import { allowPasswordsInClear, passwordInClear } from "../role/password-in-clear.ts";

/**
 * How to reach Kafka. `prefix` stands before every topic and group on the broker, so that deployments can share one.
 */
export const kafkaSettings = checked(
  {
    /** `librdkafka` needs Node 24 and a compiled client. */
    driver: oneOf("KAFKA_DRIVER", ["platformatic", "librdkafka"], "platformatic"),
    brokers: brokerList("KAFKA_BROKERS"),
    prefix: text("KAFKA_PREFIX", ""),
    tls: flag("KAFKA_TLS", false),
    tlsCaFile: optional("KAFKA_TLS_CA_FILE"),
    tlsCertFile: optional("KAFKA_TLS_CERT_FILE"),
    tlsKeyFile: optional("KAFKA_TLS_KEY_FILE"),
    saslMechanism: optionalOneOf("KAFKA_SASL_MECHANISM", ["PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512"]),
    saslUsername: optional("KAFKA_SASL_USERNAME"),
    saslPassword: optional("KAFKA_SASL_PASSWORD"),
    allowPasswordsInClear,
  },
  ({ tls, saslMechanism, saslUsername, saslPassword, allowPasswordsInClear: isAllowed, tlsCertFile, tlsKeyFile }) => [
    // On loopback too: brokers lead their clients to other addresses. SCRAM sends no password.
    ...(saslMechanism === "PLAIN" && tls === false && isAllowed === false
      ? [passwordInClear("KAFKA_SASL_MECHANISM=PLAIN without KAFKA_TLS")]
      : []),
    ...(saslMechanism && saslUsername === null
      ? ["KAFKA_SASL_USERNAME is not set: KAFKA_SASL_MECHANISM needs it"]
      : []),
    ...(saslMechanism && saslPassword === null
      ? ["KAFKA_SASL_PASSWORD is not set: KAFKA_SASL_MECHANISM needs it"]
      : []),
    ...(tlsCertFile && tlsKeyFile === null ? ["KAFKA_TLS_KEY_FILE is not set: KAFKA_TLS_CERT_FILE needs it"] : []),
  ],
);
type KafkaSettings = Config<typeof kafkaSettings>;
export type KafkaConfig = Omit<KafkaSettings, "allowPasswordsInClear" | "driver"> &
  Partial<Pick<KafkaSettings, "driver">>;

/**
 * The options every client of this deployment has in common. `metadataMaxAge` bounds how long a moved leader goes
 * unnoticed. Throws for certificate files it cannot read.
 */
export function clientOptions(config: KafkaConfig, clientId: string) {
  const mechanism = config.saslMechanism;
  return {
    clientId,
    bootstrapBrokers: [...config.brokers],
    connectTimeout: 5_000,
    requestTimeout: 30_000,
    retryDelay: 500,
    metadataMaxAge: 30_000,
    autocreateTopics: false,
    ...(config.tls ? { tls: tlsOptions(config) } : {}),
    ...(mechanism === null
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
