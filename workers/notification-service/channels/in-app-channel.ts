import { hourMs, type ChannelDefinition } from "./channel-definition.ts";

/**
 * What is put off reaches a person's list when its time comes, by being marked delivered; nothing leaves the database.
 */
export const inAppChannel: ChannelDefinition<unknown> = {
  unasked: "never",
  rings: true,
  isInstant: true,
  hasBreaker: false,
  retry: { baseMs: 1_000, capMs: 60_000, maxAttempts: 12, forMs: hourMs },
  removed: null,
  targetOf: () => "",
  shown: (target) => target,
  open: () => ({ send: () => Promise.resolve({ outcome: "delivered" }) }),
};
