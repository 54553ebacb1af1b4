import { setTimeout as sleep } from "node:timers/promises";

type UntilOptions = Readonly<{
  /** 10 seconds by default. */
  timeoutMs?: number;
  /** Between two looks; 20 ms by default. */
  everyMs?: number;
  /** What was seen last, for the failure's text. */
  describe?: () => string;
}>;

/** Asked when a wait has failed: what the systems of this test have complained about. */
const witnesses = new Set<() => string>();

/**
 * `tell` is asked for what belongs into the failure of a wait, "" for nothing, until the returned function is called.
 */
export function onFailedWait(tell: () => string): () => void {
  witnesses.add(tell);
  return () => void witnesses.delete(tell);
}

type Found<T> = Exclude<T, null | undefined | false>;

/**
 * Looks until `look` finds something (not null, undefined or false) and resolves with it. A `look` that throws ends the
 * wait at once. Rejects after `timeoutMs` with the name of what was waited for.
 */
export async function until<T>(
  what: string,
  look: () => T | Promise<T>,
  options: UntilOptions = {},
): Promise<Found<T>> {
  const { timeoutMs = 10_000, everyMs = 20, describe } = options;
  const deadline = performance.now() + timeoutMs;
  for (;;) {
    const found = await look();
    // The three values that mean "not yet" are ruled out here.
    if (found !== null && found !== undefined && found !== false) return found as Found<T>;
    if (performance.now() > deadline)
      throw new Error(
        [
          `waited ${timeoutMs} ms for: ${what}`,
          ...(describe ? [`last seen: ${describe()}`] : []),
          ...[...witnesses].map((tell) => tell()).filter((text) => text !== ""),
        ].join("\n"),
      );
    await sleep(everyMs);
  }
}
