import type { Config } from "../../../shared/role/config.ts";
import type { ChannelDeps } from "./channel-definition.ts";
import { channelNames, channels, type Channel, type ChannelName, type TestEndpoint } from "./channels.ts";
import type { channelSettings } from "./channel-settings.ts";
import { makeWebhookChannel } from "./post-webhooks.ts";
import { resolveBySystem } from "./resolve-public.ts";

const webhooks = { make: makeWebhookChannel, resolve: resolveBySystem };

/** The channels that are set up, by the settings of the environment. */
export function makeChannels(
  settings: Config<typeof channelSettings>,
  deps: Omit<ChannelDeps, "webhooks">,
): Readonly<{
  channels: readonly Channel[];
  /** Ways that get everything, whatever people choose. */
  operatorWays: readonly Readonly<{ channel: ChannelName; target: string }>[];
  sendTest: TestEndpoint;
}> {
  const opened = channelNames.flatMap((name) => {
    const channel = channels[name].open(settings, { ...deps, webhooks });
    return channel === null ? [] : [{ ...channel, name }];
  });
  return {
    channels: opened,
    // Its address is the setting of the day, not the one of the day the reminder fired.
    operatorWays: opened.flatMap(({ name }) =>
      channels[name].unasked === "always" ? [{ channel: name, target: "" }] : [],
    ),
    sendTest: async ({ channel, ...message }) => {
      const send = opened.find(({ name }) => name === channel)?.sendTest;
      if (send === undefined) throw new Error(`the channel ${channel} has no test`);
      return send(message);
    },
  };
}
