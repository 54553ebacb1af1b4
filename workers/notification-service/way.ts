import { deriveId } from "../../shared/derive-id.ts";
import { linksOf, webhooksOf, type ChannelLink } from "../../shared/preferences/channel-links.ts";
import type { ChannelChoice, Preferences } from "../../shared/preferences/preferences.ts";
import type { ChannelName } from "./channel.ts";

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
  return preferences.channels.some((choice) => chainOf(choice).some((one) => isSame(one, way)));
}

/** One lane per user and way, whoever makes it: what goes one after the other. */
export function laneOf(userId: string, { channel, target }: Way): string {
  return deriveId("lane", userId, channel, target);
}

/** The webhooks in a person's chains by URL, with the secret that signs; the first where one is named twice. */
export function endpointsOf(preferences: Pick<Preferences, "channels">): ReadonlyMap<string, string> {
  const found = new Map<string, string>();
  for (const { url, secret } of webhooksOf(preferences)) if (!found.has(url)) found.set(url, secret);
  return found;
}

function chainOf(choice: ChannelChoice): Chain {
  return [wayOf(choice), ...linksOf(choice).slice(1).map(wayOf)];
}

function wayOf(link: ChannelLink): Way {
  switch (link.type) {
    case "webhook":
      return { channel: "webhook", target: link.url };
    case "email":
      return { channel: "email", target: link.to };
    case "in-app":
    case "log":
      return { channel: link.type, target: "" };
  }
}

function isSame(one: Way, other: Way): boolean {
  return one.channel === other.channel && one.target === other.target;
}
