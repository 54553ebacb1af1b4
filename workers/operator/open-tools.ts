import { hostname } from "node:os";
import type { Broker } from "../../shared/broker.ts";
import { openCodec, type Codec } from "../../shared/codec.ts";
import { readConfig } from "../../shared/config.ts";
import { kafkaSettings, openBroker } from "../../shared/kafka/kafka-broker.ts";
import { databaseSettings, openDb, type Db } from "../../shared/postgres/db.ts";
import { openRegistry, registrySettings } from "../../shared/registry.ts";
import type { By } from "./audit.ts";
import { readTime } from "./read-time.ts";
import { usageError, type Terminal } from "./command.ts";

// What the commands work with, opened where it is needed: one that needs no Kafka asks for no KAFKA_BROKERS.

export function openOpsDb({ env, log }: Terminal): Promise<Db> {
  const { database } = readConfig({ database: databaseSettings }, env);
  return openDb(database, { role: "ops", poolSize: 2, log, checkSchema: false });
}

export function openOpsBroker({ env, log }: Terminal): Promise<Broker> {
  const { kafka } = readConfig({ kafka: kafkaSettings }, env);
  return openBroker(kafka, { clientId: "taskwire-ops", log });
}

export function openOpsCodec({ env, log }: Terminal, db?: Db): Promise<Codec> {
  const { registry } = readConfig({ registry: registrySettings }, env);
  return openCodec({ registry: openRegistry(registry), ...(db ? { db } : {}), log });
}

/** Options of every command that changes something. */
export const changeOptions = {
  "dry-run": { type: "boolean", default: false },
  by: { type: "string" },
  reason: { type: "string" },
} as const;

export const changeHelp = `  --dry-run       shows what would be done, and does nothing
  --reason TEXT   kept in the audit, as is who did it: --by NAME, or the user of this machine`;

export function readBy(
  values: Readonly<{ by?: string | undefined; reason?: string | undefined }>,
  env: Terminal["env"],
): By {
  const who = values.by ?? `${env["USER"] ?? env["LOGNAME"] ?? "somebody"}@${hostname()}`;
  return { who, via: "cli", reason: values.reason ?? null };
}

export function readTimeOption(name: string, text: string | undefined, now: Date): Date | null {
  if (text === undefined) return null;
  const time = readTime(text, now);
  if (time === null)
    throw usageError(
      `--${name} must be a time such as 2026-03-01T09:00:00Z, or an age such as 30m, 2h or 3d, not "${text}"`,
    );
  return time;
}
