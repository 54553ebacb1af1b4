import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { roleNames } from "../../shared/messages/topics.ts";
import { openStream, signIn } from "../support/client.ts";
import { whyNoRdKafka } from "../support/node-runtime.ts";
import { settled } from "../support/settled.ts";
import { startSystem, withoutLimits, type System } from "../support/system.ts";
import { until } from "../support/until.ts";
import { killInTurn } from "./kill-in-turn.ts";
import { mainPath } from "./main-path.ts";

const why = await whyNoRdKafka();
const skipped = why === null ? "" : ` (skipped: ${why.split("\n")[0]})`;
const underNode = ["outbox-relay", "task-update-broadcaster"] as const;

describe.skipIf(why !== null)(
  `relay and broadcaster under Node 24 with librdkafka, the others under Bun${skipped}`,
  () => {
    let system: System;
    beforeAll(async () => {
      const roles = Object.fromEntries(roleNames.map((role) => [role, 1]));
      system = await startSystem({ roles, env: withoutLimits, underNode });
    }, 150_000);
    afterAll(() => system?.[Symbol.asyncDispose](), 30_000);

    mainPath({
      get gateway() {
        return system.url("ui-gateway");
      },
      get system() {
        return system;
      },
    });

    test("both say which driver serves them, and tell its statistics", async () => {
      for (const role of underNode) {
        expect(system.log(role).some((line) => line.includes('"event":"kafka_driver"'))).toBe(true);
        expect(system.log(role).some((line) => line.includes("kafka_driver_missing"))).toBe(false);
        const client = role === "outbox-relay" ? "producer" : "consumer";
        await until("the client's statistics", async () =>
          (await (await fetch(`${system.metricsUrl(role)}/metrics`)).text()).includes(
            `kafka_client_round_trip_seconds{client="${client}"`,
          ),
        );
      }
    });

    test(
      "killed with -9 in turn under load, they lose, double and reorder nothing",
      () => killInTurn({ system, gateway: system.url("ui-gateway") }, underNode),
      240_000,
    );

    test("a member of the other driver joins their group: both own partitions, and either takes over all", async () => {
      const gateway = system.url("ui-gateway");
      const owned = (instance: number) =>
        system
          .log("task-update-broadcaster", instance)
          .filter((line) => line.includes('"event":"partitions_assigned"'))
          .map((line): number => JSON.parse(line).partitions.length)
          .at(-1) ?? 0;
      const whole = owned(1);
      const other = await system.start("task-update-broadcaster");
      const both = () => owned(1) > 0 && owned(other) > 0 && owned(1) + owned(other) === whole;
      await until("both own some", both, { timeoutMs: 30_000, describe: () => `${owned(1)} and ${owned(other)}` });
      const ben = await signIn(gateway, "ben-mixed");
      using stream = await openStream(gateway, ben);
      const write = async () => {
        const made = await Promise.all(
          Array.from({ length: 24 }, (_, n) => ben.must("POST", "/v1/tasks", { title: `mixed ${n}` })),
        );
        await until("each is told", () => {
          const told = new Set(stream.changes().map(({ data }) => data.task_id));
          return made.every(({ id }) => told.has(id));
        });
      };
      await write();
      await system.stop("task-update-broadcaster", 1);
      await until("the first driver owns all", () => owned(other) === whole, { timeoutMs: 30_000 });
      await write();
      await system.restart("task-update-broadcaster", 1);
      await until("both own some again", both, { timeoutMs: 30_000 });
      await system.kill("task-update-broadcaster", other);
      await until("librdkafka owns all", () => owned(1) === whole, { timeoutMs: 30_000 });
      await write();
      await settled(system);
    }, 180_000);
  },
);
