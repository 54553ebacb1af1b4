const name = "x-events-made";

/** Says on an answer how many events it made, for what changes more than one thing; the gateway charges for them. */
export function tellEvents(events: number): Readonly<Record<string, string>> {
  return events > 1 ? { [name]: String(events) } : {};
}

/** What a role said, and takes it off the answer; 1 where it said nothing. */
export function takeEvents(headers: Headers): number {
  const events = Number(headers.get(name) ?? 1);
  headers.delete(name);
  return Number.isInteger(events) && events > 0 ? events : 1;
}
