import { Problem } from "../../../shared/problem.ts";
import type { Sql } from "../../../shared/postgres/db.ts";
import { preferencesOf } from "../../../shared/preferences/read-preferences.ts";
import type { SendOutcome } from "../channels/channel.ts";
import { listEndpoints } from "./endpoints.ts";
import { laneOf, secretOf } from "../plan/way.ts";
import type { TestEndpoint } from "../channels/channels.ts";

/** A message that was sent to try an endpoint, and what became of it. `ms`: until it was answered. */
export type EndpointTestResult = Readonly<{ id: string; sent: SendOutcome; ms: number }>;

export type EndpointTestDeps = Readonly<{ sql: Sql; sendTest: TestEndpoint; newId: () => string }>;

/** Whoever is behind the URL did not ask for it. */
const pauseSeconds = 5;

/**
 * Sends a test message to a webhook of the user now, as a notification would be sent: signed, to public addresses
 * alone, once. It changes nothing about how the endpoint does, so one that is disabled stays so. Throws
 * ENDPOINT_NOT_FOUND, and TOO_MANY_TESTS within 5 s of the last one, by whichever instance.
 */
export async function testEndpoint(
  { sql, sendTest, newId }: EndpointTestDeps,
  { id, userId, ...origin }: Readonly<{ id: string; userId: string; correlationId: string; traceparent: string }>,
): Promise<EndpointTestResult> {
  const endpoint = (await listEndpoints(sql, userId)).find((one) => one.id === id);
  if (endpoint === undefined) throw new Problem("ENDPOINT_NOT_FOUND");
  const { channel, target } = endpoint.way;
  const secret = secretOf(await preferencesOf(sql, userId), endpoint.way);
  const lane = laneOf(userId, endpoint.way);
  const begun = await sql`
    insert into delivery_lanes (id, user_id, channel, target, tested_at)
    values (${lane}, ${userId}, ${channel}, ${target}, clock_timestamp())
    on conflict (id) do update set tested_at = excluded.tested_at
      where delivery_lanes.tested_at is null
        or delivery_lanes.tested_at < clock_timestamp() - ${pauseSeconds} * interval '1 s'
    returning id`;
  if (begun.length === 0) throw new Problem("TOO_MANY_TESTS", undefined, { retryAfterSeconds: pauseSeconds });
  const message = { id: newId(), userId, channel, target, secret, causationId: null, ...origin };
  const from = performance.now();
  const sent = await sendTest(message);
  return { id: message.id, sent, ms: Math.round(performance.now() - from) };
}
