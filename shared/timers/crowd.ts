/** How crowded the seconds to come are: how many wake-ups of one owner have been stored for the same one. */
export type Crowd = Readonly<{
  /** Counts one more, and tells how many of this owner came before it in this second. Seconds before `now` are forgotten. */
  place: (owner: string, dueAt: number, now: number) => number;
}>;

export function makeCrowd(): Crowd {
  const seconds = new Map<number, Map<string, number>>();
  let forgottenAt = 0;
  const forget = (now: number) => {
    if (now - forgottenAt < 1_000) return;
    forgottenAt = now;
    for (const second of seconds.keys()) if (second * 1_000 + 1_000 < now) seconds.delete(second);
  };
  return {
    place: (owner, dueAt, now) => {
      forget(now);
      const second = Math.floor(dueAt / 1_000);
      const counts = seconds.get(second) ?? new Map<string, number>();
      seconds.set(second, counts);
      const before = counts.get(owner) ?? 0;
      counts.set(owner, before + 1);
      return before;
    },
  };
}
