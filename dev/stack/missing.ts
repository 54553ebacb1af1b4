/** Something the machine lacks: shown as three lines, without a stack trace, and collected by `bun run doctor`. */
type MissingThing = Readonly<{ what: string; why: string; how: string }>;

const missing = new WeakMap<Error, MissingThing>();

/** Makes the error for something missing. */
export function missingError(thing: MissingThing): Error {
  const error = new Error(`${thing.what} is missing.\n  why: ${thing.why}\n  how to get it: ${thing.how}`);
  missing.set(error, thing);
  return error;
}

/** What an error says is missing; undefined for every other error. */
export function missingThing(error: unknown): MissingThing | undefined {
  return error instanceof Error ? missing.get(error) : undefined;
}
