import { mkdirSync } from "node:fs";
import { join } from "node:path";
import type { Java } from "./java.ts";
import { ensureDatabase } from "./postgres.ts";
import { javaScratch } from "./java-scratch.ts";
import { launch, untilReady, type LaunchedProcess } from "./launch.ts";
import { direct } from "../../shared/http/proxy-for.ts";

type RegistryOptions = Readonly<{
  java: Java;
  /** The unpacked registry, with quarkus-run.jar. */
  application: string;
  /** Where Java may keep its class-data archive. */
  archives: string;
  directory: string;
  port: number;
  managementPort: number;
  /**
   * Port of the embedded Postgres, in whose database `schema_registry` the schemas live; undefined keeps them in a
   * file.
   */
  postgresPort: number | undefined;
  logFile: string;
  recordsDirectory: string;
}>;

/** Path of the Confluent-compatible API, which is the part of the registry that Redpanda offers too. */
export const registryPath = "/apis/ccompat/v7";

/** Starts the schema registry and returns once it is ready to store schemas. */
export async function startRegistry(options: RegistryOptions): Promise<LaunchedProcess> {
  const { java, application, directory, managementPort } = options;
  mkdirSync(directory, { recursive: true });
  const storage =
    options.postgresPort === undefined ? fileStorage(directory) : await postgresStorage(options.postgresPort);
  const archive = [
    `-XX:SharedArchiveFile=${join(options.archives, "registry.jsa")}`,
    "-XX:+AutoCreateSharedArchive",
    "-Xlog:cds=off",
    "-Xlog:cds+dynamic=off",
  ];
  const registry = launch({
    name: "registry",
    command: [
      java.binary,
      "-Xmx200m",
      "-XX:+UseSerialGC",
      "-XX:TieredStopAtLevel=1",
      ...javaScratch(directory),
      ...(java.major >= 19 ? archive : []),
      "-jar",
      join(application, "quarkus-run.jar"),
    ],
    cwd: directory,
    env: {
      PATH: process.env["PATH"],
      LC_ALL: "C.UTF-8",
      TZ: "UTC",
      QUARKUS_HTTP_HOST: "127.0.0.1",
      QUARKUS_HTTP_PORT: String(options.port),
      QUARKUS_MANAGEMENT_HOST: "127.0.0.1",
      QUARKUS_MANAGEMENT_PORT: String(managementPort),
      QUARKUS_HTTP_ACCESS_LOG_ENABLED: "false",
      APICURIO_STORAGE_KIND: "sql",
      APICURIO_DATASOURCE_JDBC_INITIAL_SIZE: "2",
      APICURIO_DATASOURCE_JDBC_MIN_SIZE: "2",
      APICURIO_DATASOURCE_JDBC_MAX_SIZE: "10",
      ...storage,
    },
    logFile: options.logFile,
    recordsDirectory: options.recordsDirectory,
  });
  const answers = async () => {
    const health = await fetch(`http://127.0.0.1:${managementPort}/health/ready`, {
      signal: AbortSignal.timeout(2_000),
      ...direct,
    });
    const subjects = await fetch(`http://127.0.0.1:${options.port}${registryPath}/subjects`, {
      signal: AbortSignal.timeout(5_000),
      ...direct,
    });
    return health.ok && subjects.ok;
  };
  return untilReady(registry, { what: "The schema registry", answers });
}

async function postgresStorage(port: number): Promise<Readonly<Record<string, string>>> {
  await ensureDatabase(port, "schema_registry");
  return {
    APICURIO_STORAGE_SQL_KIND: "postgresql",
    APICURIO_DATASOURCE_URL: `jdbc:postgresql://127.0.0.1:${port}/schema_registry`,
    APICURIO_DATASOURCE_USERNAME: "postgres",
    APICURIO_DATASOURCE_PASSWORD: "",
  };
}

const fileStorage = (directory: string): Readonly<Record<string, string>> => ({
  APICURIO_STORAGE_SQL_KIND: "h2",
  APICURIO_DATASOURCE_URL: `jdbc:h2:file:${join(directory, "schemas")}`,
});
