/** How crowded the seconds to come are: how many wake-ups have been stored for the same one. */
type Crowd = Readonly<{
  /**
   * Counts one more, and tells how many came before it in this second, and how many of them were of this owner. Forgets
   * what is past.
   */
  place: (owner: string, dueAt: number, now: number) => Readonly<{ ofAll: number; ofOwner: number }>;
}>;

export function makeCrowd(): Crowd {
  const seconds = new Map<number, { all: number; owners: Map<string, number> }>();
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
      const counted = seconds.get(second) ?? { all: 0, owners: new Map<string, number>() };
      seconds.set(second, counted);
      const ofOwner = counted.owners.get(owner) ?? 0;
      counted.owners.set(owner, ofOwner + 1);
      return { ofAll: counted.all++, ofOwner };
    },
  };
}
