import { spanMs, type Preferences } from "../../shared/preferences/preferences.ts";
import type { Fired } from "./channel.ts";
import { quietUntil } from "./quiet-until.ts";
import { chainsOf, type Chain, type Way } from "./way.ts";

/** A reminder that fired, with what decides how urgent it is. */
export type Reminder = Fired & Readonly<{ priority: "Low" | "Medium" | "High" | null }>;

/** What a plan depends on beside the preferences. */
export type PlanState = Readonly<{
  /** Whether an endpoint is switched off after failing for too long. */
  isDisabled: (way: Way) => boolean;
  /** How long late reminders gather before they go out as one. */
  collapseMs: number;
}>;

/**
 * What is to be done by one way. `dueAt`: not before; also the order within the way. `bundle`: may be told together with others
 * of the same kind. `fallbacks`: the ways that are left when this one fails.
 */
export type Planned = Readonly<{
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
 * How late a reminder is, in seconds; `null` when in time or when nobody said when it was to fire. It is late by when it fired, or by
 * now, where it was heard of more than a moment after that: this service was down.
 */
export function lateBy(remindAt: Date | null, triggeredAt: Date, now: Date): number | null {
  const toldAt = now.getTime() - triggeredAt.getTime() > inTimeMs ? now : triggeredAt;
  const ms = remindAt === null ? 0 : toldAt.getTime() - remindAt.getTime();
  return ms > inTimeMs ? Math.round(ms / 1000) : null;
}

/**
 * What a fired reminder sends to a person, one entry per chain of theirs, and one more per endpoint passed over because it is disabled.
 * Quiet hours and mutes put off to their end, never drop; `drop` leaves out what is later than `late.after`, and says so in an
 * entry. What is late and put off is told at that end, whatever the policy for late ones. An in-app notification that may come now
 * is delivered by being there.
 */
export function planDelivery(
  reminder: Reminder,
  preferences: Preferences,
  state: PlanState,
  now: Date,
): readonly Planned[] {
  const fate = fateOf(reminder, preferences, state.collapseMs, now);
  return chainsOf(preferences).flatMap((chain) => planChain(chain, fate, state, now));
}

/** What a fired reminder sends by the operator's own ways: at once, whatever the person wants of theirs. */
export function planForOperator(reminder: Reminder, ways: readonly Way[], now: Date): readonly Planned[] {
  return ways.map((way) => ({ way, fallbacks: [], ...atOnce(reminder, now) }));
}

type Fate = Pick<Planned, "status" | "dueAt" | "bundle" | "reason">;

function fateOf(reminder: Reminder, preferences: Preferences, collapseMs: number, now: Date): Fate {
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
function atOnce({ remindAt, triggeredAt }: Reminder, now: Date): Fate {
  const dueAt = new Date(Math.min((remindAt ?? triggeredAt).getTime(), triggeredAt.getTime(), now.getTime()));
  return { status: "pending", dueAt, bundle: null, reason: null };
}

function planChain(chain: Chain, fate: Fate, { isDisabled }: PlanState, now: Date): readonly Planned[] {
  const found = chain.findIndex((way) => !isDisabled(way));
  const passedOver = fate.status === "dropped" ? [] : chain.slice(0, found === -1 ? chain.length : found);
  const skipped = passedOver.map((way): Planned => ({
    way,
    fallbacks: [],
    status: "failed",
    dueAt: now,
    bundle: null,
    reason: "the endpoint is disabled",
  }));
  const way = chain[fate.status === "dropped" ? 0 : found];
  if (way === undefined) return skipped;
  const isThere = way.channel === "in-app" && fate.status === "pending" && fate.bundle === null;
  return [
    ...skipped,
    { ...fate, way, fallbacks: chain.slice(chain.indexOf(way) + 1), ...(isThere ? { status: "delivered" } : {}) },
  ];
}
