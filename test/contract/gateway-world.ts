import { openCodec } from "../../shared/avro/codec.ts";
import { readConfig } from "../../shared/role/config.ts";
import { kafkaHeaders } from "../../shared/outbox/envelope.ts";
import { kafkaSettings, openBroker } from "../../shared/kafka/kafka-broker.ts";
import { makeLog } from "../../shared/role/log.ts";
import { outboxRow } from "../../shared/outbox/outbox.ts";
import { openRegistry, registrySettings } from "../../shared/avro/registry.ts";
import { startSystem, type System, type SystemOptions } from "../support/system.ts";

export type Change = Readonly<{
  userId: string;
  taskId: string;
  /** The view's version. */
  version: number;
  title?: string;
  /** What the record says where it should say `userId`. */
  wrong?: Readonly<{ key?: string; owner?: string; payloadOwner?: string }>;
}>;

export type GatewayWorld = AsyncDisposable &
  Readonly<{
    system: System;
    /** Writes records to task-updates as the relay does, one after another; resolves when the broker has them. */
    publish: (...changes: readonly Change[]) => Promise<void>;
  }>;

/** Gateways alone on the real stack; the test is the broadcaster. */
export async function startGateways(options: SystemOptions): Promise<GatewayWorld> {
  const system = await startSystem(options);
  const log = makeLog({ role: "test" }, "error");
  const config = readConfig({ kafka: kafkaSettings, registry: registrySettings }, system.env);
  const broker = await openBroker(config.kafka, { clientId: "gateway-test", log });
  const codec = await openCodec({ registry: openRegistry(config.registry), log });
  const producer = await broker.producer();
  const outgoing = ({ userId, taskId, version, title = `v${version}`, wrong = {} }: Change) => {
    const row = outboxRow(
      codec,
      {
        type: "TaskChanged",
        key: wrong.key ?? userId,
        subject: taskId,
        sequence: version,
        data: {
          task_id: taskId,
          user_id: wrong.owner ?? userId,
          change_type: version === 1 ? "created" : "updated",
          payload: JSON.stringify({
            id: taskId,
            user_id: wrong.payloadOwner ?? userId,
            title,
            version,
            view_version: version,
            reminders: [],
          }),
          timestamp: new Date(),
        },
      },
      { source: "task-update-broadcaster", correlationId: "gateway-test", now: new Date() },
    );
    const { topic, key, value, headers, sequence } = row;
    return { topic, timestamp: Date.now(), key, value, headers: kafkaHeaders(JSON.parse(headers), sequence) };
  };
  return {
    system,
    publish: async (...changes) => {
      for (let at = 0; at < changes.length; at += 50) await producer.send(changes.slice(at, at + 50).map(outgoing));
    },
    [Symbol.asyncDispose]: async () => {
      await producer[Symbol.asyncDispose]();
      await broker[Symbol.asyncDispose]();
      await system[Symbol.asyncDispose]();
    },
  };
}
