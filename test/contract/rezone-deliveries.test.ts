import { afterAll, beforeAll, expect, test } from "bun:test";
import { quietUntil } from "../../workers/notification-service/plan/quiet-until.ts";
import { replanDeferred } from "../../workers/notification-service/plan/replan-deferred.ts";
import { rezoneDeliveries } from "../../workers/notification-service/plan/rezone-deliveries.ts";
import { weekdays } from "../../shared/preferences/preferences.ts";
import { withZones } from "../support/other-zones.ts";
import { openNotificationWorld, triggered, type NotificationWorld } from "./notification-world.ts";

const url = process.env["DATABASE_URL"];
if (!url && process.env["REQUIRE_ALL"] === "1") throw new Error("needs DATABASE_URL");

const beginning = "00000000-0000-0000-0000-000000000000";
/**
 * Kathmandu's clocks are a quarter of an hour beside all full hours, so that an end by them is another instant at any
 * time of the year.
 */
const moved = { "America/Vancouver": "Asia/Kathmandu" };

let world: NotificationWorld;
beforeAll(async () => {
  if (url) world = await openNotificationWorld();
}, 60_000);
afterAll(() => world?.[Symbol.asyncDispose](), 30_000);

async function rezoneAll(limit: number): Promise<number> {
  const step = rezoneDeliveries({ db: world.db, limit });
  let steps = 0;
  for (let after: string | null = beginning; after !== null; steps++) after = await step(after);
  return steps;
}

/** Two windows that cover the whole day but for a minute: it is quiet now by whatever clocks. */
const quiet_hours = { from: "00:01", to: "00:00", days: [...weekdays] };

test.skipIf(!url)(
  "what waits for the end of quiet hours is planned anew by other zone data, in bounded steps",
  async () => {
    const channels = [{ type: "email", to: "ada@example.org" }];
    const userId = await world.newUser({ tz: "America/Vancouver", quiet_hours, channels });
    await world.hear(...["a", "b", "c"].map((title) => triggered({ userId, title })));
    const ends = async () =>
      (await world.db.sql<{ at: Date }[]>`select due_at as at from deliveries where user_id = ${userId}`).map(
        ({ at }) => at.toISOString(),
      );
    const before = await ends();
    expect(before.length).toBe(3);
    await withZones("2041a", moved, async () => {
      await replanDeferred(world.db);
      expect(await ends()).toEqual(before);
      expect(await rezoneAll(2)).toBeGreaterThanOrEqual(2);
      await replanDeferred(world.db);
      const wanted = quietUntil({ tz: "America/Vancouver", quiet_hours, muted_until: null }, new Date())?.toISOString();
      expect(wanted).toBeDefined();
      expect(await ends()).toEqual([wanted, wanted, wanted].map(String));
      expect(before).not.toContain(wanted);
    });
  },
);

test.skipIf(!url)("one that is sent between the look and the change is planned anew by nobody", async () => {
  const channels = [{ type: "email", to: "bob@example.org" }];
  const userId = await world.newUser({ tz: "America/Vancouver", quiet_hours, channels });
  await world.hear(triggered({ userId, title: "a" }), triggered({ userId, title: "b" }));
  const [sent] = await world.db.sql<{ id: string; version: string }[]>`
    select id, plan_version as version from deliveries where user_id = ${userId} limit 1`;
  if (sent === undefined) throw new Error("nothing waits");
  let isSent = false;
  /** Just before the lanes are locked, it goes. */
  const transaction: typeof world.db.transaction = (work, options) =>
    world.db.transaction((tx) => {
      const slow = new Proxy(tx, {
        apply: (target, self, args: readonly unknown[]) => {
          const go = () => Reflect.apply(target as (...given: readonly unknown[]) => unknown, self, args);
          if (isSent || !String((args[0] as readonly string[]).join("?")).includes("delivery_lanes")) return go();
          isSent = true;
          return world.db.sql`update deliveries set status = 'delivered' where id = ${sent.id}`.then(go);
        },
      });
      return work(slow);
    }, options);
  const step = rezoneDeliveries({ db: { transaction } });
  for (let after: string | null = beginning; after !== null;) after = await step(after);
  expect(isSent).toBe(true);
  const versions = await world.db.sql<{ id: string; version: string }[]>`
    select id, plan_version as version from deliveries where user_id = ${userId}`;
  const versionOf = (isIt: boolean) => versions.filter(({ id }) => (id === sent.id) === isIt).map((one) => one.version);
  expect(versionOf(true)).toEqual([sent.version]);
  expect(versionOf(false)).not.toEqual([sent.version]);
});
