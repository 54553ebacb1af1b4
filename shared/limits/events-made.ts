const name = "x-events-made";

/**
 * Says on an answer how many events it made, where that may be more than one; the gateway charges its user for them.
 */
export function eventsMade(events: number): readonly [string, string] {
  return [name, String(events)];
}

/** What a role said, and takes it off the answer; 1 where it said nothing. */
export function takeEvents(headers: Headers): number {
  const events = Number(headers.get(name) ?? 1);
  headers.delete(name);
  return Number.isInteger(events) && events > 0 ? events : 1;
}
