/**
 * What the runtime's own zone data says of a zone: its offset at `from`, then the instant and offset of each change up
 * to `to`, ms.
 */
export function runtimeChanges(tz: string, from: number, to: number): readonly number[] {
  let at = Temporal.Instant.fromEpochMilliseconds(from).toZonedDateTimeISO(tz);
  const told = [at.offsetNanoseconds / 1e6];
  for (;;) {
    const next = at.getTimeZoneTransition("next");
    if (next === null || next.epochMilliseconds >= to) return told;
    told.push(next.epochMilliseconds, next.offsetNanoseconds / 1e6);
    at = next;
  }
}
