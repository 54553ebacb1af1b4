import { afterAll, beforeAll, expect, test } from "bun:test";
import { roleNames } from "../../shared/messages/topics.ts";
import { ownStack } from "../support/own-stack.ts";
import { startSystem, withoutLimits, type System } from "../support/system.ts";
import { killInTurn } from "./kill-in-turn.ts";

let system: System;
beforeAll(async () => {
  // Written as fast as it is answered.
  system = await startSystem({ env: withoutLimits });
}, 150_000);
afterAll(() => system?.[Symbol.asyncDispose](), 30_000);

test(
  "every role killed with -9 in turn under load: no version lost or doubled, order kept, the stream tells the same as the API",
  () => killInTurn({ system, gateway: system.url("ui-gateway") }, roleNames),
  240_000,
);

test.skipIf(process.env["LONG_TESTS"] !== "1")(
  "three of every role on one machine, one of each killed with -9 in turn under load: the same, and each has its part of the work",
  async () => {
    await using own = await ownStack(["postgres"]);
    const roles = Object.fromEntries(roleNames.map((role) => [role, 3]));
    await using three = await startSystem({ roles, stack: own.urls, env: withoutLimits });
    await killInTurn({ system: three, gateway: three.url("ui-gateway") }, roleNames);
    const groups: { groups: { group: string; members: number }[] } = JSON.parse(await three.ops("groups", "--json"));
    expect(groups.groups.map(({ group, members }) => [group, members])).toEqual(
      groups.groups.map(({ group }) => [group, 3]),
    );
  },
  600_000,
);
