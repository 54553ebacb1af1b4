/** The command line was wrong, nothing was done; ends with 2. */
export function usageError(message: string): Error {
  return Object.assign(new Error(message), { code: "USAGE" });
}
