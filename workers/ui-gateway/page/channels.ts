import type { ChannelLink, ChannelType, LinkOf } from "../../../shared/preferences/channel-choices.ts";
import { element } from "../../../shared/page/element.ts";
import { labelled, showPart, tick } from "./fields.ts";
import { offerOutside } from "./system-notices.ts";
import { newWebhookSecret, secretPattern } from "./webhook-secret.ts";

/** How the dialog of preferences asks for a channel; `read`: what was chosen, null for none. */
type ChannelControl = Readonly<{
  parts: readonly Node[];
  read: () => ChannelLink | null;
  /** Called when anything in the dialog was changed. */
  refresh?: () => void;
}>;

type PageChannel<T extends ChannelType> = Readonly<{
  /** Which way it is: "by e-mail to ada@example.org". */
  words: (target: string | null) => string;
  /** Whether it goes to the person; what goes to those who run the server is not shown. */
  isToPerson: boolean;
  /** Left out where the dialog does not ask for it. */
  ask?: (chosen: LinkOf<T> | undefined) => ChannelControl;
}>;

/** Every channel that people may choose, as the page shows it. */
const channels: { readonly [T in ChannelType]: PageChannel<T> } = {
  "in-app": {
    words: () => "in the app",
    isToPerson: true,
    ask: (chosen) => {
      const { root, box } = tick("On this page", { name: "in_app", checked: chosen !== undefined });
      return { parts: [root, offerOutside()], read: () => (box.checked ? { type: "in-app" } : null) };
    },
  },
  email: {
    words: (target) => `by e-mail to ${target ?? "nobody"}`,
    isToPerson: true,
    ask: (chosen) => {
      const to = element("input", {
        type: "email",
        name: "email",
        maxlength: "254",
        value: chosen?.to ?? "",
        placeholder: "ada@example.org",
      });
      const read = () => to.value.trim();
      return {
        parts: [labelled("E-mail to", to)],
        read: () => (read() === "" ? null : { type: "email", to: read() }),
      };
    },
  },
  webhook: {
    words: (target) => `by webhook to ${target !== null && URL.canParse(target) ? new URL(target).host : "nowhere"}`,
    isToPerson: true,
    ask: (chosen) => {
      const url = element("input", {
        type: "url",
        name: "webhook",
        maxlength: "2000",
        value: chosen?.url ?? "",
        placeholder: "https://",
      });
      const secret = element("input", {
        type: "text",
        name: "secret",
        required: true,
        pattern: secretPattern,
        autocomplete: "off",
        value: chosen?.secret ?? "",
      });
      const secretPart = labelled("Its secret", secret);
      const read = () => ({ url: url.value.trim(), secret: secret.value.trim() });
      return {
        parts: [labelled("Webhook", url), secretPart],
        read: () => (read().url === "" ? null : { type: "webhook", ...read() }),
        refresh: () => {
          if (url.value !== "" && secret.value === "") secret.value = newWebhookSecret();
          showPart(secretPart, url.value !== "");
        },
      };
    },
  },
  log: { words: () => "to the operator", isToPerson: false },
};

/** Null for the operator's own, which nobody chooses. */
export function channelOf(name: string): Pick<PageChannel<ChannelType>, "words" | "isToPerson"> | null {
  return isChannelType(name) ? channels[name] : null;
}

function isChannelType(name: string): name is ChannelType {
  return Object.hasOwn(channels, name);
}

/** The channels that the dialog asks for, in its order. */
export const askedTypes = Object.keys(channels)
  .filter(isChannelType)
  .filter((type) => channels[type].ask !== undefined);

/** The control of a channel, showing what was chosen. */
export function askFor(type: ChannelType, chosen: ChannelLink | null): ChannelControl | null {
  const channel: { ask?(link: ChannelLink | undefined): ChannelControl } = channels[type];
  return channel.ask?.(chosen ?? undefined) ?? null;
}
