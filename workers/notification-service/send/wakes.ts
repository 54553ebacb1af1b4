import type { ChannelName } from "../channels/channels.ts";
import { makeSenderWake, type SenderWake } from "./sender-wake.ts";

/** One wake per sender. */
type Wakes = Readonly<{
  to: (channel: ChannelName) => SenderWake;
  /** As `to`, for a channel that may have no sender. */
  of: (channel: ChannelName) => SenderWake | undefined;
  /** Rows for these channels are being committed about now. */
  soon: (channels: ReadonlyMap<ChannelName, number>) => void;
  all: () => void;
}>;

export function makeWakes(channels: readonly ChannelName[]): Wakes {
  const wakes = new Map(channels.map((channel) => [channel, makeSenderWake()]));
  return {
    of: (channel) => wakes.get(channel),
    to: (channel) => {
      const wake = wakes.get(channel);
      if (wake === undefined) throw new Error(`no sender for ${channel}`);
      return wake;
    },
    soon: (counts) => counts.forEach((_count, channel) => wakes.get(channel)?.soon()),
    all: () => wakes.forEach((wake) => wake.soon()),
  };
}
