import { afterAll, beforeAll } from "bun:test";
import { roleNames } from "../../shared/messages/topics.ts";
import { startSystem, withoutLimits, type System } from "../support/system.ts";

/**
 * Every role, and a second recurring task worker and reminder service: one system for all that befalls no part of the
 * stack. Without limits of requests, because fuzzing sends as fast as it is answered.
 */
export let system: System;
export let gateway: string;
export const operatorToken = crypto.randomUUID();

beforeAll(async () => {
  const once = Object.fromEntries(roleNames.map((role) => [role, 1]));
  system = await startSystem({
    roles: { ...once, "recurring-task-worker": 2, "reminder-service": 2 },
    env: { ...withoutLimits, OPERATOR_TOKEN: operatorToken },
  });
  gateway = system.url("ui-gateway");
}, 150_000);
afterAll(() => system?.[Symbol.asyncDispose](), 30_000);
