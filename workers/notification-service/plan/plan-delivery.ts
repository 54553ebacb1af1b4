import { spanMs, type Preferences } from "../../../shared/preferences/preferences.ts";
import type { FiredReminder } from "../channels/channel.ts";
import { channels } from "../channels/channels.ts";
import { quietUntil } from "./quiet-until.ts";
import { chainsOf, type Chain, type Way } from "./way.ts";

/** A reminder that fired, with what decides how urgent it is. */
export type PrioritizedReminder = FiredReminder & Readonly<{ priority: "Low" | "Medium" | "High" | null }>;

/** What a plan depends on beside the preferences. */
type PlanState = Readonly<{
  /** Whether an endpoint is switched off after failing for too long. */
  isDisabled: (way: Way) => boolean;
  /** How long late reminders gather before they go out as one. */
  collapseMs: number;
}>;

/**
 * One delivery that is planned. `dueAt`: not sent before; also the order within the way. `bundle`: may be merged into a
 * digest with others of the same kind. `fallbacks`: the ways left when this one fails.
 */
export type PlannedDelivery = Readonly<{
  way: Way;
  fallbacks: readonly Way[];
  status: "pending" | "delivered" | "dropped" | "failed";
  dueAt: Date;
  bundle: "quiet" | "late" | null;
  reason: string | null;
}>;

/** Firing takes a moment; what is within a minute is in time. */
const inTimeMs = 60_000;

/**
 * How late a reminder is, in seconds; `null` when in time or when nobody said when it was to fire. It is late by when
 * it fired, or by now, where it was heard of more than a moment after that: this service was down.
 */
export function lateBy(remindAt: Date | null, triggeredAt: Date, now: Date): number | null {
  const toldAt = now.getTime() - triggeredAt.getTime() > inTimeMs ? now : triggeredAt;
  const ms = remindAt === null ? 0 : toldAt.getTime() - remindAt.getTime();
  return ms > inTimeMs ? Math.round(ms / 1000) : null;
}

/**
 * The deliveries of a fired reminder to a person: one per chain, and a failed one for each disabled endpoint that is
 * passed over. Quiet hours and mutes postpone a delivery to their end and never drop it, however late it is then. The
 * policy `drop` makes a dropped delivery of a reminder later than `late.after`. An in-app delivery that need not wait
 * is delivered by being written.
 */
export function planDelivery(
  reminder: PrioritizedReminder,
  preferences: Preferences,
  state: PlanState,
  now: Date,
): readonly PlannedDelivery[] {
  const fate = fateOf(reminder, preferences, state.collapseMs, now);
  return chainsOf(preferences).flatMap((chain) => planChain(chain, fate, state, now));
}

/** What a fired reminder sends by the operator's own ways: at once, whatever the person wants of theirs. */
export function planForOperator(
  reminder: PrioritizedReminder,
  ways: readonly Way[],
  now: Date,
): readonly PlannedDelivery[] {
  return ways.map((way) => ({ way, fallbacks: [], ...atOnce(reminder, now) }));
}

type Fate = Pick<PlannedDelivery, "status" | "dueAt" | "bundle" | "reason">;

function fateOf(reminder: PrioritizedReminder, preferences: Preferences, collapseMs: number, now: Date): Fate {
  const { late, urgent_passes: urgentPasses } = preferences;
  const seconds = reminder.lateBy;
  if (seconds !== null && late.policy === "drop" && seconds * 1000 > (spanMs(late.after) ?? 0))
    return { status: "dropped", dueAt: now, bundle: null, reason: `late by ${seconds} s, wanted within ${late.after}` };
  const quiet = urgentPasses && reminder.priority === "High" ? null : quietUntil(preferences, now);
  if (quiet !== null) return { status: "pending", dueAt: quiet, bundle: "quiet", reason: null };
  if (seconds !== null && late.policy === "collapse")
    return { status: "pending", dueAt: new Date(now.getTime() + collapseMs), bundle: "late", reason: null };
  return atOnce(reminder, now);
}

/** In the order in which they were to fire. */
function atOnce({ remindAt, triggeredAt }: PrioritizedReminder, now: Date): Fate {
  const dueAt = new Date(Math.min((remindAt ?? triggeredAt).getTime(), triggeredAt.getTime(), now.getTime()));
  return { status: "pending", dueAt, bundle: null, reason: null };
}

function planChain(chain: Chain, fate: Fate, { isDisabled }: PlanState, now: Date): readonly PlannedDelivery[] {
  const found = chain.findIndex((way) => !isDisabled(way));
  const passedOver = fate.status === "dropped" ? [] : chain.slice(0, found === -1 ? chain.length : found);
  const skipped = passedOver.map((way): PlannedDelivery => ({
    way,
    fallbacks: [],
    status: "failed",
    dueAt: now,
    bundle: null,
    reason: "the endpoint is disabled",
  }));
  const way = chain[fate.status === "dropped" ? 0 : found];
  if (way === undefined) return skipped;
  const isThere = channels[way.channel].isInstant && fate.status === "pending" && fate.bundle === null;
  return [
    ...skipped,
    { ...fate, way, fallbacks: chain.slice(chain.indexOf(way) + 1), ...(isThere ? { status: "delivered" } : {}) },
  ];
}
