import { Problem } from "../problem.ts";

/** How much of each kind, of one user. */
export type Amounts<Kind extends string> = Readonly<Record<Kind, number>>;

/** `null`: as many as one likes. `words`: completes "You have 10000 …". */
export type QuotaLimits<Kind extends string> = Readonly<
  Record<Kind, Readonly<{ most: number | null; words: string; advice: string }>>
>;

export type Quota<Kind extends string> = Readonly<{
  /**
   * Does the work, which adds so much (or takes away, where negative), if there is room for it; else throws
   * QUOTA_EXCEEDED. What the work takes away counts when it is done, and nothing counts of one that throws.
   */
  within: <T>(userId: string, adds: Partial<Amounts<Kind>>, work: () => Promise<T>) => Promise<T>;
  /** Somebody else may have changed much of what the user has: it is counted again when it is needed next. */
  forget: (userId: string) => void;
}>;

/** A count serves for a quarter of the room it found, and so long. */
const servesMs = 60_000;
/** Nobody is refused by a count older than this, nor counted more often at their limit. */
const freshMs = 2_000;
const maxUsers = 10_000;

type QuotaCount<Kind extends string> = {
  counted: Amounts<Kind>;
  /** What was counted, and what this process has added and taken away since. */
  now: Record<Kind, number>;
  at: number;
};

/**
 * Bounds what a user may have without counting it on each write. A count is taken when nothing is known of a user, and
 * then serves for many writes: so it costs the hot path a look into a map. Several processes do not know of one
 * another's writes between counts, so a user who writes through all of them may get a little more than the limit: at
 * most a quarter of the room there was, or what 2 s give.
 */
export function makeQuota<Kind extends string>(
  limits: QuotaLimits<Kind>,
  { count, now }: Readonly<{ count: (userId: string) => Promise<Amounts<Kind>>; now: () => number }>,
): Quota<Kind> {
  // fromEntries and entries forget which keys they were given.
  const kinds = (Object.keys(limits) as Kind[]).filter((kind) => limits[kind].most !== null);
  const users = new Map<string, QuotaCount<Kind>>();
  const counting = new Map<string, Promise<QuotaCount<Kind>>>();
  /** What is on its way into the database in this process. */
  const onTheWay = new Map<string, Record<Kind, number>>();
  const zero = () => Object.fromEntries(kinds.map((kind) => [kind, 0])) as Record<Kind, number>;
  const add = (to: Record<Kind, number>, adds: Partial<Amounts<Kind>>, times: number, only = kinds): void => {
    for (const kind of only) to[kind] += times * (adds[kind] ?? 0);
  };
  const recount = (userId: string): Promise<QuotaCount<Kind>> => {
    const running = counting.get(userId);
    if (running !== undefined) return running;
    const started = count(userId)
      .then((counted) => {
        const standing = { counted, now: zero(), at: now() };
        add(standing.now, counted, 1);
        add(standing.now, onTheWay.get(userId) ?? {}, 1);
        users.delete(userId);
        users.set(userId, standing);
        for (const oldest of users.size > maxUsers ? users.keys() : []) {
          users.delete(oldest);
          break;
        }
        return standing;
      })
      .finally(() => counting.delete(userId));
    counting.set(userId, started);
    return started;
  };
  const most = (kind: Kind): number => limits[kind].most ?? Infinity;
  const serves = (
    { counted, now: has, at }: QuotaCount<Kind>,
    { grown, adds }: Readonly<{ grown: readonly Kind[]; adds: Partial<Amounts<Kind>> }>,
  ): boolean =>
    now() - at < servesMs &&
    grown.every((kind) => {
      const isNear = has[kind] - counted[kind] < (most(kind) - counted[kind]) / 4;
      return isNear && has[kind] + (adds[kind] ?? 0) <= most(kind);
    });
  return {
    forget: (userId) => void users.delete(userId),
    within: async (userId, adds, work) => {
      const grown = kinds.filter((kind) => (adds[kind] ?? 0) > 0);
      const shrunk = kinds.filter((kind) => (adds[kind] ?? 0) < 0);
      let standing = users.get(userId);
      if (grown.length > 0) {
        if (standing === undefined || (!serves(standing, { grown, adds }) && now() - standing.at >= freshMs))
          standing = await recount(userId);
        for (const kind of grown) refuseBeyond(limits[kind], standing.now[kind] + (adds[kind] ?? 0));
        add(standing.now, adds, 1, grown);
      }
      const moving = onTheWay.get(userId) ?? zero();
      onTheWay.set(userId, moving);
      add(moving, adds, 1, grown);
      try {
        const done = await work();
        const after = users.get(userId);
        if (after !== undefined) add(after.now, adds, 1, shrunk);
        return done;
      } catch (error) {
        const after = users.get(userId);
        if (after !== undefined) add(after.now, adds, -1, grown);
        throw error;
      } finally {
        add(moving, adds, -1, grown);
        if (kinds.every((kind) => moving[kind] === 0)) onTheWay.delete(userId);
      }
    },
  };
}

function refuseBeyond(
  { most, words, advice }: Readonly<{ most: number | null; words: string; advice: string }>,
  would: number,
): void {
  if (most === null || would <= most) return;
  throw new Problem("QUOTA_EXCEEDED", `You may have ${most} ${words}: ${advice}`);
}
