import type * as Client from "@confluentinc/kafka-javascript";

/** The client's node-rdkafka style API. */
export type RdKafka = Pick<typeof Client, "KafkaConsumer" | "Producer" | "librdkafkaVersion" | "features">;

/** Why the client cannot be loaded, for a person: what is missing and how to get it. */
type Unavailable = Readonly<{ reason: string }>;

/**
 * Loads the client, whose heart is compiled code: it needs Node 24, and its binary, which the package's install script
 * or `bun run dev` puts beside it. Never rejects.
 */
export async function loadRdKafka(): Promise<RdKafka | Unavailable> {
  if ("Bun" in globalThis)
    return {
      reason: "librdkafka's client cannot run inside Bun; start this role with Node 24: node workers/<role>/main.ts",
    };
  try {
    // CommonJS: what it exports is under `default` too, and there only in part by name.
    const { default: client } = (await import("@confluentinc/kafka-javascript")) as unknown as { default: RdKafka };
    return client;
  } catch (error) {
    const message = error instanceof Error ? (error.message.split("\n")[0] ?? "") : String(error);
    return {
      reason: `the package @confluentinc/kafka-javascript or its compiled part is missing (${message}); README, "The second Kafka driver", says how to get it`,
    };
  }
}
