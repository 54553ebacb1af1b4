import { deadline } from "../waiting/wait.ts";

/**
 * Settles when `work` does or after `ms`, whatever came of it. For closing: the client's close can wait for a rejoin or
 * for a broker that is gone, and what it would say no longer matters.
 */
export async function within(ms: number, work: Promise<unknown>): Promise<void> {
  await deadline(ms, "closing", work).catch(() => {});
}
