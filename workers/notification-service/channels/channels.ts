import type { ChannelLink, ChannelType, LinkOf } from "../../../shared/preferences/channel-choices.ts";
import type { ChannelSender, SendOutcome, TestMessage } from "./channel.ts";
import type { ChannelDefinition } from "./channel-definition.ts";
import { emailChannel } from "./email-channel.ts";
import { inAppChannel } from "./in-app-channel.ts";
import { logChannel } from "./log-channel.ts";
import { operatorWebhookChannel, webhookChannel } from "./webhook-channel.ts";

/** The operator's channels beside those that people choose. */
type Operators = Readonly<Record<`operator-${string}`, ChannelDefinition>>;

/** Every channel, and all that is asked of it. */
export const channels = {
  "in-app": inAppChannel,
  log: logChannel,
  webhook: webhookChannel,
  email: emailChannel,
  "operator-webhook": operatorWebhookChannel,
} as const satisfies { readonly [T in ChannelType]: ChannelDefinition<LinkOf<T>> } & Operators;

export type ChannelName = keyof typeof channels;
// The keys of this very table.
export const channelNames = Object.keys(channels) as [ChannelName, ...ChannelName[]];

/** The channels of which something is true. */
export function channelsWith(is: (channel: ChannelDefinition) => boolean): readonly ChannelName[] {
  return channelNames.filter((name) => is(channels[name]));
}

/** Where a choice leads: its own channel knows. */
export function targetOf(choice: ChannelLink): string {
  const channel: ChannelDefinition<ChannelLink> = channels[choice.type];
  return channel.targetOf(choice);
}

export type Channel = ChannelSender & Readonly<{ name: ChannelName }>;
/** Sends a test to an endpoint of this channel. */
export type TestEndpoint = (message: TestMessage & Readonly<{ channel: ChannelName }>) => Promise<SendOutcome>;
