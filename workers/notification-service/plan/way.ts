import { deriveId } from "../../../shared/messages/derive-id.ts";
import type { ChannelLink } from "../../../shared/preferences/channel-choices.ts";
import { linksOf } from "../../../shared/preferences/channel-links.ts";
import type { ChannelChoice, Preferences } from "../../../shared/preferences/preferences.ts";
import { channels, targetOf, type ChannelName } from "../channels/channels.ts";

/** A channel and where it leads: the URL of a webhook, the address of an e-mail, else "". */
export type Way = Readonly<{ channel: ChannelName; target: string }>;

/** The way itself, then those that are taken when the one before has finally failed. */
export type Chain = readonly [Way, ...Way[]];

/** The chains a person chose, each once, in their order. */
export function chainsOf({ channels }: Pick<Preferences, "channels">): readonly Chain[] {
  const chains = channels.map(chainOf);
  return chains.filter(([first], index) => chains.findIndex(([other]) => isSame(first, other)) === index);
}

/** Whether a person's chains still name a way. */
export function isNamed(preferences: Pick<Preferences, "channels">, way: Way): boolean {
  return linkOf(preferences, way) !== undefined;
}

/** What signs for a way, where a person's chains name it with a secret; the first where it is named twice. */
export function secretOf(preferences: Pick<Preferences, "channels">, way: Way): string | null {
  const link = linkOf(preferences, way);
  return link !== undefined && "secret" in link ? link.secret : null;
}

/** One lane per user and way, whoever makes it: what goes one after the other. */
export function laneOf(userId: string, { channel, target }: Way): string {
  return deriveId("lane", userId, channel, target);
}

/** The endpoints in a person's chains, each once: ways with a breaker. */
export function endpointsOf(preferences: Pick<Preferences, "channels">): readonly Way[] {
  const ways = preferences.channels.flatMap(chainOf).filter(({ channel }) => channels[channel].hasBreaker);
  return ways.filter((way, index) => ways.findIndex((other) => isSame(way, other)) === index);
}

function linkOf({ channels: chosen }: Pick<Preferences, "channels">, way: Way): ChannelLink | undefined {
  return chosen.flatMap(linksOf).find((link) => isSame(wayOf(link), way));
}

function chainOf(choice: ChannelChoice): Chain {
  return [wayOf(choice), ...linksOf(choice).slice(1).map(wayOf)];
}

function wayOf(link: ChannelLink): Way {
  return { channel: link.type, target: targetOf(link) };
}

function isSame(one: Way, other: Way): boolean {
  return one.channel === other.channel && one.target === other.target;
}
