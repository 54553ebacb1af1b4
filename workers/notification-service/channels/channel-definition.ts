import type { Config } from "../../../shared/role/config.ts";
import type { Log } from "../../../shared/role/log.ts";
import type { ChannelSender, SendTest } from "./channel.ts";
import type { channelSettings } from "./channel-settings.ts";
import type { SendMail } from "./mail.ts";
import type { makeWebhookChannel } from "./post-webhooks.ts";
import type { Resolve } from "./resolve-public.ts";

/** `forMs`: no further attempt once it has been due for so long; `maxAttempts` bounds what is tried and recorded. */
export type RetryPolicy = Readonly<{ baseMs: number; capMs: number; maxAttempts: number; forMs: number }>;

/** What channels are opened with. `mail` is null where no server takes mail. */
export type ChannelDeps = Readonly<{
  log: Log;
  now: () => Date;
  mail: Readonly<{ sendMail: SendMail; connections: number }> | null;
  /**
   * What posts to an address that was looked at: the routes, which know channels too, run where there is no such thing.
   */
  webhooks: Readonly<{ make: typeof makeWebhookChannel; resolve: Resolve }>;
}>;

type OpenChannel<O extends ChannelSender> = (settings: Config<typeof channelSettings>, deps: ChannelDeps) => O | null;

/**
 * All that the rest of the role asks of a channel. `Choice` is what a person says of it; the operator's own have none.
 */
export type ChannelDefinition<Choice = never> = Readonly<{
  /** Whether it gets what people did not choose it for: everything, or what is for people who never chose any. */
  unasked: "always" | "until chosen" | "never";
  /** Whether a person hears it: in quiet hours and while muted it waits. */
  rings: boolean;
  /** Whether what is to go at once is delivered by being written down. */
  isInstant: boolean;
  retry: RetryPolicy;
  /** Why what waits is not sent when its owner names the target no more; null: it is sent all the same. */
  removed: string | null;
  /** Where a choice leads, "" where that needs no word. */
  targetOf(choice: Choice): string;
  /** The target as its owner may see it. */
  shown: (target: string) => string;
}> &
  // Targets with a breaker are endpoints of people: their owner sees how each does, and tries it. `open` is null where
  // it is not set up.
  Readonly<
    | { hasBreaker: false; open: OpenChannel<ChannelSender> }
    | { hasBreaker: true; open: OpenChannel<ChannelSender & Readonly<{ sendTest: SendTest }>> }
  >;

export const hourMs = 3_600_000;
