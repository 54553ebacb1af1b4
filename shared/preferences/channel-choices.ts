import { z } from "@hono/zod-openapi";
import { secretPattern, secretShape } from "./webhook-secret.ts";

/**
 * What a person says of each channel they may choose; one entry a channel. What a channel does with it is in
 * notification-service (`channels/`), how the page asks for it in ui-gateway (`page/channels.ts`): neither compiles
 * without one for each of these.
 */
export const channelChoices = [
  z.strictObject({ type: z.literal("in-app") }),
  z.strictObject({ type: z.literal("log") }),
  z.strictObject({
    type: z.literal("webhook"),
    url: z.url({ protocol: /^https?$/ }).max(2000),
    secret: z
      .string()
      .regex(secretShape, "is not whsec_ and 24 to 64 bytes in base64")
      .optional()
      // Left out it is the one that is kept for this URL: see admitPreferences.
      .transform((secret) => secret ?? "")
      .openapi({
        type: "string",
        pattern: secretPattern,
        description:
          "Signs what is posted, as Standard Webhooks says. It is never shown again: answers hold a hint such as whsec_…LaSw. Left out, or " +
          "given as that hint, it stays what it was.",
        example: "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
      }),
  }),
  z.strictObject({
    type: z.literal("email"),
    // The length first: of a megabyte the pattern takes 170 ms to say no.
    to: z
      .string()
      .max(254, { abort: true })
      .regex(z.regexes.email, "is not an e-mail address")
      .openapi({ format: "email" }),
  }),
] as const;

/** The channels a person may choose. */
export type ChannelType = z.output<(typeof channelChoices)[number]>["type"];

/** A choice with what is used when it has failed, and so on. */
export type ChannelLink = z.output<(typeof channelChoices)[number]> & Readonly<{ else?: ChannelLink }>;
export type LinkOf<T extends ChannelType> = Extract<ChannelLink, Readonly<{ type: T }>>;

type ChainedChoices<Choices, Next extends z.ZodType> = {
  -readonly [Place in keyof Choices]: Choices[Place] extends z.ZodObject<infer Shape, infer Config>
    ? z.ZodObject<Shape & { else: z.ZodExactOptional<Next> }, Config>
    : never;
};

/** The same choices, each with `next` to be used when it has finally failed. */
export function chained<Next extends z.ZodType>(next: Next) {
  const fallback = {
    else: next.exactOptional().openapi({ description: "Used when this channel has finally failed." }),
  };
  const choices = channelChoices.map((choice) => choice.extend(fallback));
  // `map` forgets which is where.
  return z.discriminatedUnion("type", choices as ChainedChoices<typeof channelChoices, Next>);
}
