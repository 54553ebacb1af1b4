import { openCodec, type Codec } from "../avro/codec.ts";
import { readConfig } from "./config.ts";
import { kafkaSettings, openBroker } from "../kafka/kafka-broker.ts";
import { makeLog, type Log } from "./log.ts";
import { databaseSettings, openDb, type Db } from "../postgres/db.ts";
import { openRegistry, registrySettings } from "../avro/registry.ts";
import type { Broker } from "../messages/broker.ts";
import type { RoleName } from "../messages/topics.ts";

export type OpsScriptContext = Readonly<{
  argv: readonly string[];
  env: Readonly<Record<string, string | undefined>>;
  db: Db;
  broker: Broker;
  codec: Codec;
  log: Log;
  /** The database's clock, as a role's own is. */
  now: () => Date;
  signal: AbortSignal;
}>;

/**
 * The whole of a script that a command of `ops` runs because it is about one role's code, and no role imports another.
 * Prints what `work` resolves with, as JSON, on standard output; complaints go to standard error.
 */
export async function runOpsScript(
  role: RoleName,
  work: (context: OpsScriptContext) => Promise<unknown>,
): Promise<void> {
  const { argv, env } = process;
  const name = `${role}-command`;
  const log = makeLog({ role: name }, "warn", (line) => void process.stderr.write(`${line}\n`));
  const config = readConfig({ database: databaseSettings, kafka: kafkaSettings, registry: registrySettings }, env);
  await using db = await openDb(config.database, { role: name, poolSize: 2, log });
  await using broker = await openBroker(config.kafka, { clientId: name, log });
  const codec = await openCodec({ registry: openRegistry(config.registry), db, log });
  const [clock] = await db.sql<{ now: Date }[]>`select clock_timestamp() as now`;
  const began = performance.now();
  const now = () => new Date((clock?.now.getTime() ?? 0) + performance.now() - began);
  const signal = new AbortController().signal;
  const result = await work({ argv, env, db, broker, codec, log, now, signal });
  process.stdout.write(`${JSON.stringify(result)}\n`);
}
