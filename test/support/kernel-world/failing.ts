import { Problem } from "../../../shared/problem.ts";

/** What messages are called in a run: their topic, key and number. */
export function nameOf(of: Readonly<{ topic: string; key: string; n: number }>): string {
  return `${of.topic}/${of.key}/${of.n}`;
}

/** As Postgres says it of itself, while it answers the probe. */
const diskFull = () =>
  Object.assign(new Error("could not extend file"), { name: "PostgresError", severity: "ERROR", code: "53100" });

/** Which messages fail in a run, by name: for ever, for a while, or because they cannot be read. */
export function makeFailing(random: () => number) {
  const dead = new Set<string>();
  const invalid = new Set<string>();
  /** How often a message fails yet. */
  const flaky = new Map<string, number>();
  /** How often a record cannot be read yet, and why; `Infinity` for what is none. */
  const unreadable = new Map<string, Readonly<{ left: number; failure: () => Error }>>();
  /** Told to come back later, for as long as they are here. */
  const heldBack = new Set<string>();
  let fullUntil = 0;

  const makeUnreadable = (name: string) => {
    if (random() < 0.3) {
      invalid.add(name);
      unreadable.set(name, { left: Number.POSITIVE_INFINITY, failure: () => new Problem("UNDECODABLE") });
    } else if (random() < 0.5) unreadable.set(name, { left: 2, failure: () => new Problem("UNAVAILABLE") });
    else unreadable.set(name, { left: 4 + Math.floor(random() * 3), failure: () => new Error("a bug of the decoder") });
  };

  return {
    /** Decides whether a message will fail, and how. */
    decide: (name: string, of: Readonly<{ mayBeUnreadable: boolean }>): void => {
      if (of.mayBeUnreadable && random() < 0.03) makeUnreadable(name);
      else if (random() < 0.02) (random() < 0.4 ? invalid : dead).add(name);
      else if (random() < 0.08) flaky.set(name, 1 + Math.floor(random() * 7));
    },
    failFor: (name: string, times: number): void => void flaky.set(name, times),
    /** Waits in a queue, without spending a try, until `release`. */
    holdBack: (name: string): void => void heldBack.add(name),
    release: (): void => heldBack.clear(),
    /** Works from now on. */
    mend: (name: string): void => {
      dead.delete(name);
      invalid.delete(name);
      unreadable.delete(name);
    },
    /** For so long Postgres takes no writes of handlers. */
    fillDisk: (ms: number): void => {
      fullUntil = performance.now() + ms;
    },
    isHopeless: (name: string): boolean => dead.has(name) || invalid.has(name),
    hopeless: (): ReadonlySet<string> => new Set([...dead, ...invalid]),
    /** What reading a record fails with this time. */
    reading: (name: string): Error | undefined => {
      const found = unreadable.get(name);
      if (found === undefined || found.left === 0) return undefined;
      unreadable.set(name, { ...found, left: found.left - 1 });
      return found.failure();
    },
    /** What handling a message fails with this time. */
    handling: (name: string): Error | undefined => {
      if (performance.now() < fullUntil) return diskFull();
      if (heldBack.has(name)) return Object.assign(new Error("later"), { status: 429, retryAfterSeconds: 3 });
      if (invalid.has(name)) return new Problem("INVARIANT");
      if (dead.has(name)) return new Error("never");
      const left = flaky.get(name) ?? 0;
      flaky.set(name, left - 1);
      return left > 0 ? new Error("not yet") : undefined;
    },
  };
}
export type Failing = ReturnType<typeof makeFailing>;
