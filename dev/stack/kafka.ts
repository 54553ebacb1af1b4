import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Java } from "./java.ts";
import { javaScratch } from "./java-scratch.ts";
import { launch, untilReady, type LaunchedProcess } from "./launch.ts";
import { isListening } from "./ports.ts";
import { runCommand } from "./run-command.ts";

type KafkaOptions = Readonly<{
  java: Java;
  /** Folder of jars. */
  jars: string;
  /** Where Java may keep its class-data archive. */
  archives: string;
  directory: string;
  port: number;
  controllerPort: number;
  logFile: string;
  recordsDirectory: string;
  /** Without it anybody on this machine may do everything. */
  security?: KafkaSecurity;
}>;

/**
 * TLS for everybody, SCRAM-SHA-256 for clients, certificates between the node's own parts, and an authorizer that
 * allows nothing but what an ACL allows. Its decisions, granted ones too, are lines of the log.
 */
type KafkaSecurity = Readonly<{
  /** PEM: a key (PKCS#8) and its certificate in one file, for localhost, and the authority that signed it. */
  certificateFile: string;
  caFile: string;
  /** The subject of that certificate, as `CN=broker`: the node itself, who may do everything. */
  subject: string;
  /** Names and passwords; made with the storage, so later ones are not seen. */
  users: Readonly<Record<string, string>>;
  /** One of the users, who may do everything: makes ACLs. */
  administrator: string;
}>;

const started = "Kafka Server started";
const environment = { PATH: process.env["PATH"], LC_ALL: "C", TZ: "UTC" };

/** Starts one Kafka node (KRaft: broker and controller in one process) and returns once it serves clients. */
export async function startKafka(options: KafkaOptions): Promise<LaunchedProcess> {
  const { java, jars, archives, directory, port, logFile } = options;
  mkdirSync(directory, { recursive: true });
  const settings = join(directory, "server.properties");
  writeFileSync(settings, properties(options));
  await formatOnce(options, settings);
  const kafka = launch({
    name: "kafka",
    command: [
      java.binary,
      ...jvmFlags(java, archives),
      ...(options.security === undefined ? [] : ["-Dorg.slf4j.simpleLogger.log.kafka.authorizer.logger=debug"]),
      ...javaScratch(directory),
      "-cp",
      join(jars, "*"),
      "kafka.Kafka",
      settings,
    ],
    cwd: directory,
    env: environment,
    logFile,
    recordsDirectory: options.recordsDirectory,
  });
  // The line in its own log says that ours has started; an open port alone could be another program's.
  const answers = async () => readFileSync(logFile, "utf8").includes(started) && (await isListening(port));
  return untilReady(kafka, { what: "Kafka", answers });
}

function jvmFlags(java: Java, archives: string): readonly string[] {
  const quick = ["-Xms256m", "-Xmx512m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1"];
  const log = ["-Dorg.slf4j.simpleLogger.defaultLogLevel=warn", "-Dorg.slf4j.simpleLogger.showDateTime=true"];
  // slf4j-simple takes levels per logger name, and this one line is how Kafka says that it is up.
  log.push("-Dorg.slf4j.simpleLogger.log.kafka.server.KafkaRaftServer=info");
  // A class-data archive, written at a clean exit, takes about a second off the next start.
  const archive = [
    "-XX:+AutoCreateSharedArchive",
    `-XX:SharedArchiveFile=${join(archives, "kafka.jsa")}`,
    "-Xlog:cds=off",
    "-Xlog:cds+dynamic=off",
  ];
  return [...quick, ...log, ...(java.major >= 19 ? archive : [])];
}

/** A marker says the format was completed; without it whatever is there is half-made and is made anew. */
async function formatOnce(options: KafkaOptions, settings: string): Promise<void> {
  const { java, jars, directory, recordsDirectory, security } = options;
  const marker = join(directory, "formatted");
  if (existsSync(marker)) return;
  rmSync(join(directory, "log"), { recursive: true, force: true });
  const id = Buffer.from(crypto.getRandomValues(new Uint8Array(16))).toString("base64url");
  // A cluster id that starts with a dash would be taken for an option.
  const clusterId = id.replace(/^-/, "A");
  const flags = ["-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "-Dorg.slf4j.simpleLogger.defaultLogLevel=warn"];
  const format = ["kafka.tools.StorageTool", "format", "-t", clusterId, "-c", settings];
  for (const [name, password] of Object.entries(security?.users ?? {}))
    format.push("--add-scram", `SCRAM-SHA-256=[name=${name},password=${password}]`);
  const { ended, output } = await runCommand({
    command: [java.binary, ...flags, "-cp", join(jars, "*"), ...format],
    cwd: directory,
    env: environment,
    record: { name: "kafka-format", directory: recordsDirectory },
  });
  if (ended !== 0) throw new Error(`Kafka's storage could not be formatted (${ended}):\n${output}`);
  writeFileSync(marker, `${clusterId}\n`);
}

function properties(options: KafkaOptions): string {
  const { directory, port, controllerPort, security } = options;
  const listener = security === undefined ? "PLAINTEXT" : "SASL_SSL";
  // The name in the certificate.
  const host = security === undefined ? "127.0.0.1" : "localhost";
  return `${Object.entries({
    "process.roles": "broker,controller",
    "node.id": "1",
    "controller.quorum.voters": `1@${host}:${controllerPort}`,
    "controller.listener.names": "CONTROLLER",
    "listener.security.protocol.map": `CONTROLLER:${security === undefined ? "PLAINTEXT" : "SSL"},${listener}:${listener}`,
    listeners: `${listener}://127.0.0.1:${port},CONTROLLER://127.0.0.1:${controllerPort}`,
    "advertised.listeners": `${listener}://${host}:${port}`,
    "inter.broker.listener.name": listener,
    ...(security === undefined ? {} : secured(security)),
    "log.dirs": join(directory, "log"),
    // One node: nothing to replicate to.
    "offsets.topic.replication.factor": "1",
    "offsets.topic.num.partitions": "10",
    "transaction.state.log.replication.factor": "1",
    "transaction.state.log.min.isr": "1",
    "share.coordinator.state.topic.replication.factor": "1",
    "share.coordinator.state.topic.min.isr": "1",
    "default.replication.factor": "1",
    "min.insync.replicas": "1",
    "auto.create.topics.enable": "false",
    "group.initial.rebalance.delay.ms": "0",
    // With the default of 9 s a broker killed with -9 waits 12 s for its own old session before it serves again.
    "broker.session.timeout.ms": "3000",
    "broker.heartbeat.interval.ms": "500",
    "controlled.shutdown.max.retries": "1",
    "log.cleaner.dedupe.buffer.size": "16777216",
  })
    .map(([name, value]) => `${name}=${value}`)
    .join("\n")}\n`;
}

function secured({ certificateFile, caFile, subject, users, administrator }: KafkaSecurity): Record<string, string> {
  const login = `org.apache.kafka.common.security.scram.ScramLoginModule required username="${administrator}" password="${users[administrator]}";`;
  return {
    "sasl.enabled.mechanisms": "SCRAM-SHA-256",
    "sasl.mechanism.inter.broker.protocol": "SCRAM-SHA-256",
    // Every mechanism needs such a line on every listener, else the broker ends at its start.
    "listener.name.sasl_ssl.scram-sha-256.sasl.jaas.config": login,
    "ssl.keystore.type": "PEM",
    "ssl.keystore.location": certificateFile,
    "ssl.truststore.type": "PEM",
    "ssl.truststore.location": caFile,
    "ssl.client.auth": "none",
    "listener.name.controller.ssl.client.auth": "required",
    "authorizer.class.name": "org.apache.kafka.metadata.authorizer.StandardAuthorizer",
    "allow.everyone.if.no.acl.found": "false",
    "super.users": `User:${administrator};User:${subject}`,
  };
}
