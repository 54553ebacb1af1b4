export type StackUrls = Readonly<{
  databaseUrl: string;
  kafkaBrokers: string;
  schemaRegistryUrl: string;
  redisUrl: string;
}>;

/** The running stack's addresses. Throws, saying how to run the tests, when there is none. */
export function stack(): StackUrls {
  const missing: string[] = [];
  const read = (name: string): string => {
    const value = process.env[name];
    if (!value) missing.push(name);
    return value ?? "";
  };
  const urls = {
    databaseUrl: read("DATABASE_URL"),
    kafkaBrokers: read("KAFKA_BROKERS"),
    schemaRegistryUrl: read("SCHEMA_REGISTRY_URL"),
    redisUrl: read("REDIS_URL"),
  };
  if (missing.length > 0) {
    throw new Error(
      `This test needs the stack, and ${missing.join(", ")} ${missing.length === 1 ? "is" : "are"} not set. ` +
        "Run it by `npx bun run test contract` (or flow, browser, or a path), which starts one.",
    );
  }
  return urls;
}
