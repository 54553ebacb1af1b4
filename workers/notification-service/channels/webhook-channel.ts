import type { LinkOf } from "../../../shared/preferences/channel-choices.ts";
import { shownUrl } from "../http/shown-url.ts";
import { hourMs, type ChannelDefinition } from "./channel-definition.ts";

/** For a day, as Standard Webhooks recommends. */
export const webhookChannel: ChannelDefinition<LinkOf<"webhook">> = {
  unasked: "never",
  rings: true,
  isInstant: false,
  hasBreaker: true,
  retry: { baseMs: 2_000, capMs: hourMs, maxAttempts: 100, forMs: 24 * hourMs },
  removed: "no longer among the user's webhooks",
  targetOf: ({ url }) => url,
  shown: shownUrl,
  open: ({ timeoutMs, allowPrivate }, { now, webhooks }) =>
    webhooks.make({ name: "webhook", timeoutMs, now, resolve: allowPrivate ? null : webhooks.resolve }),
};

/** Where everything is posted too, for the operator, who looks after the receiver. */
export const operatorWebhookChannel: ChannelDefinition = {
  unasked: "always",
  rings: false,
  isInstant: false,
  hasBreaker: false,
  retry: { baseMs: 1_000, capMs: 10 * 60_000, maxAttempts: 200, forMs: 24 * hourMs },
  removed: null,
  targetOf: () => "",
  shown: (target) => target,
  open: ({ webhookUrl: target, webhookSecret: secret, timeoutMs }, { now, webhooks }) => {
    if (target === null || secret === null) return null;
    const { send } = webhooks.make({ name: "operator-webhook", timeoutMs, now, resolve: null });
    return { send: (told, attempt) => send({ ...told, target, secret }, attempt) };
  },
};
