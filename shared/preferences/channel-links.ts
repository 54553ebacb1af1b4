import type { ChannelLink } from "./channel-choices.ts";
import { preferencesInput, type ChannelChoice, type Preferences } from "./preferences.ts";

type WebhookTarget = Readonly<{ url: string; secret: string }>;

/** A choice and what is used when it has failed, in that order. */
export function linksOf(choice: ChannelChoice): readonly ChannelLink[] {
  return followed(choice);
}

function followed(link: ChannelLink): readonly ChannelLink[] {
  return [link, ...(link.else ? followed(link.else) : [])];
}

/** The webhooks among some preferences' channels, in their order. */
export function webhooksOf({ channels }: Pick<Preferences, "channels">): readonly WebhookTarget[] {
  return channels.flatMap(linksOf).filter((link) => link.type === "webhook");
}

/** The preferences with other secrets for their webhooks; "" is none. `path` is the JSON pointer of the webhook. */
export function withSecrets(
  preferences: Preferences,
  secretOf: (webhook: WebhookTarget, path: string) => string,
): Preferences {
  const changed = (link: ChannelLink, path: string): object => ({
    ...link,
    ...(link.type === "webhook" ? { secret: secretOf(link, path) || undefined } : {}),
    ...(link.else ? { else: changed(link.else, `${path}/else`) } : {}),
  });
  const channels = preferences.channels.map((choice, place) => changed(choice, `/channels/${place}`));
  return { ...preferences, channels: preferencesInput.shape.channels.parse(channels) };
}
