/**
 * Code of the error that ends whatever rests on what was known of another life of the database: its `server_life()` is
 * another than it was, so it was restarted, failed over or restored, and what was known of it may not be true any more.
 */
const databaseChanged = "DATABASE_CHANGED";

export function databaseChange(): Error {
  return Object.assign(new Error("the database server is another one than before, or was restarted"), {
    code: databaseChanged,
  });
}

export function isDatabaseChange(error: unknown): boolean {
  return error instanceof Error && "code" in error && error.code === databaseChanged;
}
