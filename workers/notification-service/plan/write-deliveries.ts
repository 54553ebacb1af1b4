import type { BatchHandler } from "../../../shared/consume/handler.ts";
import { deriveId } from "../../../shared/messages/derive-id.ts";
import type { Metrics } from "../../../shared/role/metrics.ts";
import type { ReceivedMessage, ReceivedOf } from "../../../shared/messages/message.ts";
import type { Tx } from "../../../shared/postgres/db.ts";
import { defaultPreferences, type Preferences } from "../../../shared/preferences/preferences.ts";
import { readPreferences } from "../../../shared/preferences/read-preferences.ts";
import { cancelDeliveries, lanesOfObsolete, type ObsoleteReminder } from "./cancel-deliveries.ts";
import { channelsWith, channels, type ChannelName } from "../channels/channels.ts";
import { findForeign } from "./find-foreign.ts";
import {
  lateBy,
  planDelivery,
  planForOperator,
  type PlannedDelivery,
  type PrioritizedReminder,
} from "./plan-delivery.ts";
import { addDeliveries, lanesOf, lockLanes, readLanes, type NewDelivery } from "./store-deliveries.ts";
import { chainsOf, laneOf, type Way } from "./way.ts";

type WriteDeliveries = Readonly<{
  /** Ways that get everything, whatever people choose. */
  operatorWays: readonly Way[];
  collapseMs: number;
  /** Told how many notifications are new by each channel; a hint, given before the commit. */
  onWritten: (counts: ReadonlyMap<ChannelName, number>) => void;
  metrics: Pick<Metrics, "counter">;
}>;

type TriggeredReminder = ReceivedOf<"ReminderTriggered">;

/** The ways of people who never said what they want, beside their own. */
const untilChosen = channelsWith(({ unasked }) => unasked === "until chosen").map((channel): Way => ({
  channel,
  target: "",
}));

/**
 * Writes what fired reminders are to send, as their users' preferences of this moment want it, and cancels what newer
 * events about them made needless; sends nothing: the senders do. What names another user's reminder or task makes and
 * cancels nothing. Replay is safe because a delivery's id is that of the event and the way, and cancelling again
 * changes nothing.
 */
export function makeWriteDeliveries(options: WriteDeliveries): BatchHandler {
  const { operatorWays, collapseMs, onWritten, metrics } = options;
  const foreignMessages = metrics.counter(
    "delivery_foreign_user_total",
    "Messages about a reminder or task of another user: they made and cancelled nothing.",
    ["type"],
  );
  return async (messages, { tx, log }) => {
    const foreign = await findForeign(tx, messages);
    for (const { id, type, subject } of foreign) {
      foreignMessages.inc({ type });
      log.warn("user_differs", { id, type, subject });
    }
    const own = messages.filter((message) => !foreign.has(message));
    const fired = own.filter((message): message is TriggeredReminder => message.type === "ReminderTriggered");
    const rows = fired.length === 0 ? [] : await plan(tx, fired, { operatorWays, collapseMs });
    const obsolete = own.flatMap(obsoleteBy);
    await lockLanes(tx, [...lanesOf(rows), ...(await lanesOfObsolete(tx, obsolete))]);
    const added = await addDeliveries(tx, rows);
    // After the rows of this batch: a reminder may have been moved on within it.
    await cancelDeliveries(tx, obsolete);
    const counts = new Map<ChannelName, number>();
    for (const { id, way } of rows) if (added.has(id)) counts.set(way.channel, (counts.get(way.channel) ?? 0) + 1);
    if (counts.size > 0) onWritten(counts);
    return messages.map(() => []);
  };
}

async function plan(
  tx: Tx,
  fired: readonly TriggeredReminder[],
  { operatorWays, collapseMs }: Pick<WriteDeliveries, "operatorWays" | "collapseMs">,
): Promise<readonly NewDelivery[]> {
  // Before the preferences: read after them, a version could be newer than what was planned by.
  const versions = await readVersions(tx, [...new Set(fired.map(({ data }) => data.user_id))]);
  const wanted = await readPreferences(tx, [...new Set(fired.map(({ data }) => data.user_id))]);
  const preferencesOf = ({ data }: TriggeredReminder): Preferences => wanted.get(data.user_id) ?? defaultPreferences;
  const lanes = fired.flatMap((message) =>
    chainsOf(preferencesOf(message))
      .flat()
      .filter(({ channel }) => channels[channel].hasBreaker)
      .map((way) => laneOf(message.data.user_id, way)),
  );
  const { now, disabled } = await readLanes(tx, lanes);
  return fired.flatMap((message) => {
    const preferences = preferencesOf(message);
    const reminder = reminderOf(message, now);
    const isDisabled = (way: Way) => disabled.has(laneOf(message.data.user_id, way));
    const extra = preferences === defaultPreferences ? [...operatorWays, ...untilChosen] : operatorWays;
    return [
      ...planDelivery(reminder, preferences, { isDisabled, collapseMs }, now),
      ...planForOperator(reminder, extra, now),
    ].map((planned) => rowOf(message, reminder, { ...planned, planVersion: versions.get(message.data.user_id) ?? 0 }));
  });
}

async function readVersions(tx: Tx, userIds: readonly string[]): Promise<ReadonlyMap<string, number>> {
  const rows = await tx<{ userId: string; version: number }[]>`
    select user_id as "userId", version::float8 as version from preferences where user_id = any(${[...userIds]}::uuid[])`;
  return new Map(rows.map(({ userId, version }) => [userId, version]));
}

function reminderOf({ data }: TriggeredReminder, now: Date): PrioritizedReminder {
  return {
    reminderId: data.id,
    taskId: data.task_id,
    title: data.title,
    priority: data.priority,
    remindAt: data.remind_at,
    triggeredAt: data.triggered_at,
    lateBy: lateBy(data.remind_at, data.triggered_at, now),
  };
}

function rowOf(
  { id: eventId, correlationId, traceparent, data }: TriggeredReminder,
  reminder: PrioritizedReminder,
  planned: PlannedDelivery & Pick<NewDelivery, "planVersion">,
): NewDelivery {
  return {
    ...reminder,
    ...planned,
    id: deliveryId(eventId, planned.way),
    eventId,
    userId: data.user_id,
    generation: data.generation,
    lane: laneOf(data.user_id, planned.way),
    correlationId,
    traceparent,
  };
}

/** One delivery per fired reminder and way, whoever plans it and however often. */
export function deliveryId(eventId: string, { channel, target }: Way): string {
  return deriveId("delivery", eventId, channel, ...(target === "" ? [] : [target]));
}

function obsoleteBy(message: ReceivedMessage): readonly ObsoleteReminder[] {
  switch (message.type) {
    case "ReminderDismissed": {
      const { id: reminderId, user_id: userId, generation, reason } = message.data;
      return [{ reminderId, userId, upTo: generation, reason: `dismissed: ${(reason ?? "user").slice(0, 60)}` }];
    }
    case "ReminderScheduled": {
      const { id: reminderId, user_id: userId, generation } = message.data;
      return generation === null || generation < 2
        ? []
        : [{ reminderId, userId, upTo: generation - 1, reason: "scheduled anew" }];
    }
    default:
      return [];
  }
}
