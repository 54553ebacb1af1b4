/** How long the relay rests when it has found nothing. Pure but for its memory. */
type PollPace = Readonly<{
  /** ms until the next look, at the latest. */
  restMs: () => number;
  /** To be told how a rest ended and what the look after it found. */
  looked: (of: Readonly<{ woken: boolean; rows: number }>) => void;
}>;

const oftenMs = 100;
const seldomMs = 1_000;

/**
 * Every 100 ms at first and while `mayNotBeWoken`; each look in vain doubles that, to a second at most, because a
 * notification follows every commit. What was found without one was committed by a process that ended before it told:
 * then looks are frequent again, and `untold` is called.
 */
export function makePollPace({
  mayNotBeWoken,
  untold,
}: Readonly<{ mayNotBeWoken: () => boolean; untold: () => void }>): PollPace {
  let ms = oftenMs;
  return {
    restMs: () => (mayNotBeWoken() ? oftenMs : ms),
    looked: ({ woken, rows }) => {
      if (rows > 0 && !woken && ms > oftenMs) untold();
      ms = rows > 0 ? oftenMs : Math.min(seldomMs, ms * 2);
    },
  };
}
