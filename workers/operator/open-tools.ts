import { hostname } from "node:os";
import { readSoundSchemas } from "./sound-schemas.ts";
import type { Broker } from "../../shared/messages/broker.ts";
import { openCodec, type Codec } from "../../shared/avro/codec.ts";
import { readConfig } from "../../shared/role/config.ts";
import { kafkaSettings, openBroker } from "../../shared/kafka/kafka-broker.ts";
import { databaseSettings, openDb, type Db } from "../../shared/postgres/db.ts";
import { openRegistry, registrySettings } from "../../shared/avro/registry.ts";
import type { Tools } from "./action.ts";
import type { ChangeAuthor } from "./audit.ts";
import type { Terminal } from "./command.ts";
import { once } from "./once.ts";
import { topicSettings } from "./plan-topics.ts";

// What the commands work with, opened where it is needed: one that needs no Kafka asks for no KAFKA_BROKERS.

export function openOpsDb({ env, log }: Terminal): Promise<Db> {
  const { database } = readConfig({ database: databaseSettings }, env);
  return openDb(database, { role: "ops", poolSize: 2, log, checkSchema: false });
}

function openOpsBroker({ env, log }: Terminal): Promise<Broker> {
  const { kafka } = readConfig({ kafka: kafkaSettings }, env);
  return openBroker(kafka, { clientId: "taskwire-ops", log });
}

function openOpsCodec({ env, log }: Terminal, db?: Db): Promise<Codec> {
  const { registry } = readConfig({ registry: registrySettings }, env);
  return openCodec({ registry: openRegistry(registry), ...(db ? { db } : {}), log });
}

/**
 * What actions work with at the command line, opened where it is needed; what was opened is closed at the end, the last
 * first.
 */
export function openTools(terminal: Terminal): Tools & AsyncDisposable {
  const { env, log } = terminal;
  const opened: AsyncDisposable[] = [];
  const keep = <T extends AsyncDisposable>(open: () => Promise<T>) =>
    once(async () => {
      const resource = await open();
      opened.unshift(resource);
      return resource;
    });
  const never = new AbortController().signal;
  let known: Promise<Db> | undefined;
  const openedDb = keep(() => openOpsDb(terminal));
  const db = () => (known = openedDb());
  return {
    env,
    db,
    broker: keep(() => openOpsBroker(terminal)),
    codec: once(async () => openOpsCodec(terminal, await known)),
    registry: () => openRegistry(readConfig({ registry: registrySettings }, env).registry),
    topicSettings: () => readConfig(topicSettings, env),
    readSchemas: readSoundSchemas,
    now: async () => databaseNow(await db()),
    runLong: (_, run) => run(),
    isRunning: null,
    signal: never,
    interrupted: () => terminal.interrupted?.() ?? never,
    tell: (event, fields) => log.warn(event, fields),
    [Symbol.asyncDispose]: async () => {
      for (const resource of opened) await resource[Symbol.asyncDispose]();
    },
  };
}

export function readBy(
  values: Readonly<{ by?: string | undefined; reason?: string | undefined }>,
  env: Terminal["env"],
): ChangeAuthor {
  const who = values.by ?? `${env["USER"] ?? env["LOGNAME"] ?? "somebody"}@${hostname()}`;
  return { who, via: "cli", reason: values.reason ?? null };
}

/** The database's time, by which everything was written that an action looks for. */
async function databaseNow(db: Pick<Db, "sql">): Promise<Date> {
  const [clock] = await db.sql<{ now: Date }[]>`select clock_timestamp() as now`;
  if (clock === undefined) throw new Error("the database did not tell the time");
  return clock.now;
}
