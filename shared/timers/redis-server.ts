/** How a Redis is set up, as far as it tells; `null` for what it does not. */
export type RedisServer = Readonly<{
  maxmemoryPolicy: string | null;
  /** How often a second it looks for delayed jobs that are due, among other things: 10 by default, up to 500. */
  hz: number | null;
  /** Whether what it holds survives a restart. */
  appendOnly: "yes" | "no" | null;
}>;

/** From INFO alone: managed servers refuse CONFIG. Rejects when Redis does not answer. */
export async function readRedisServer(info: (section: string) => Promise<string>): Promise<RedisServer> {
  const text = (await Promise.all(["memory", "server", "persistence"].map(info))).join("\n");
  const value = (name: string) => new RegExp(`^${name}:(\\S+)`, "m").exec(text)?.[1] ?? null;
  const hz = value("configured_hz") ?? value("hz");
  const aof = value("aof_enabled");
  return {
    maxmemoryPolicy: value("maxmemory_policy"),
    hz: hz === null ? null : Number(hz),
    appendOnly: aof === null ? null : aof === "1" ? "yes" : "no",
  };
}
