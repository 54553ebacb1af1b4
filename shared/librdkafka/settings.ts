import { readFileSync } from "node:fs";
import { rootCertificates } from "node:tls";
import type { KafkaConfig } from "../kafka/settings.ts";

/**
 * The configuration every client of this deployment has in common, by librdkafka's names. Throws for certificate files
 * it cannot read. Times are those of the first driver, so that operators learn one set.
 */
export function rdKafkaOptions(config: KafkaConfig, clientId: string) {
  const mechanism = config.saslMechanism;
  return {
    "client.id": clientId,
    "bootstrap.servers": config.brokers.join(),
    "security.protocol": protocol(config.tls, mechanism !== null),
    "socket.connection.setup.timeout.ms": 5_000,
    "socket.timeout.ms": 30_000,
    "socket.nagle.disable": true,
    "reconnect.backoff.max.ms": 2_000,
    // Bounds how long a moved leader goes unnoticed where nothing is asked of it.
    "topic.metadata.refresh.interval.ms": 30_000,
    "allow.auto.create.topics": false,
    "statistics.interval.ms": 5_000,
    ...(config.tls ? tlsOptions(config) : {}),
    ...(mechanism === null
      ? {}
      : {
          "sasl.mechanisms": mechanism,
          "sasl.username": config.saslUsername ?? "",
          "sasl.password": config.saslPassword ?? "",
        }),
  } as const;
}
export type RdKafkaOptions = ReturnType<typeof rdKafkaOptions>;

function protocol(tls: boolean, sasl: boolean) {
  if (sasl) return tls ? "sasl_ssl" : "sasl_plaintext";
  return tls ? "ssl" : "plaintext";
}

function tlsOptions(config: KafkaConfig) {
  const read = (path: string) => readFileSync(path, "utf8");
  return {
    // Without a file, the certificates Node trusts: librdkafka would look where OpenSSL was built for, which is nowhere
    // here.
    "ssl.ca.pem": config.tlsCaFile === null ? rootCertificates.join("\n") : read(config.tlsCaFile),
    ...(config.tlsCertFile === null ? {} : { "ssl.certificate.pem": read(config.tlsCertFile) }),
    ...(config.tlsKeyFile === null ? {} : { "ssl.key.pem": read(config.tlsKeyFile) }),
    "ssl.endpoint.identification.algorithm": "https",
  } as const;
}
