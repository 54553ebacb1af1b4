/** What befalls the members besides; `leaves` is the chance that one leaves in a round. */
export type Fate = Readonly<{
  kills: boolean;
  zombies: boolean;
  redrives: boolean;
  /** What happens once in a run: see `planRun`. */
  turns: boolean;
  leaves: number;
}>;

/** Of each topic, at first. */
export const partitions = 3;
export const rounds = 12;

/**
 * When, by the number of a round, what happens once in a run happens; -1 for never. Of every six runs one has a reset,
 * two a database that goes back, one a log that loses its start and one its end, and one a week of the inbox that ends.
 * In every fourth run a queue is long, in every fourth topics grow.
 */
export function planRun({ seed, random, fate }: Readonly<{ seed: number; random: () => number; fate: Fate }>) {
  const early = 3 + Math.floor(random() * 6);
  const later = Math.min(early + 1 + Math.floor(random() * 3), rounds - 1);
  const turn = fate.turns ? seed % 6 : -1;
  const isBack = turn === 1 || turn === 4;
  const grows = fate.turns && seed % 4 === 2 && turn !== 2;
  return {
    resetAt: turn === 0 ? early : -1,
    copyAt: isBack ? early : -1,
    backAt: isBack ? later : -1,
    calmAt: turn === 2 ? 8 : -1,
    loseEndAt: turn === 2 ? 9 : -1,
    loseStartAt: turn === 5 ? early : -1,
    weekEndsAt: turn === 3 ? early : -1,
    // In the last round, while the group is quiet: the members have to see it themselves. Otherwise after the copy is
    // made.
    growAt: grows ? (seed % 8 === 2 ? rounds - 1 : early + 1) : -1,
    longAt: fate.kills && seed % 4 === 0 ? 4 : -1,
  };
}
