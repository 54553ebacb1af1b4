import { Problem } from "../../../shared/problem.ts";

/** How much of the log each user's clients may have read for them. */
type ReplayBudget = Readonly<{
  /** Throws TOO_MANY_REPLAYS, with the time to come again, while the user has used up more than there is. */
  admit: (userId: string) => void;
  /** So many records were read for the user's clients, whoever they belong to. */
  charge: (userId: string, records: number) => void;
}>;

const refillSeconds = 60;

/**
 * A user starts with `records`, gets them again within a minute, and may run into a debt of as many: a client that was
 * away is never cut off on its way, but one that asks for the same again and again soon has to wait.
 */
export function makeReplayBudget({ records, now }: Readonly<{ records: number; now: () => Date }>): ReplayBudget {
  const perSecond = Math.max(1, records) / refillSeconds;
  /** Who has less than all, the one charged longest ago first. */
  const users = new Map<string, Readonly<{ left: number; at: number }>>();
  const leftOf = (userId: string, at: number) => {
    const user = users.get(userId);
    return user === undefined ? records : Math.min(records, user.left + ((at - user.at) / 1000) * perSecond);
  };
  return {
    admit: (userId) => {
      const left = leftOf(userId, now().getTime());
      // With a budget of nothing every replay is a reset already.
      if (left >= Math.min(1, records)) return;
      const retryAfterSeconds = Math.ceil((1 - left) / perSecond);
      const why = "The changes your clients missed have been read for them again and again";
      throw new Problem("TOO_MANY_REPLAYS", why, { retryAfterSeconds });
    },
    charge: (userId, read) => {
      const at = now().getTime();
      const left = Math.max(-records, leftOf(userId, at) - read);
      users.delete(userId);
      users.set(userId, { left, at });
      for (const [id, user] of users) {
        if (at - user.at < 2 * refillSeconds * 1000) break;
        users.delete(id);
      }
    },
  };
}
