import { Problem } from "../problem.ts";

/**
 * Throws INVALID_REQUEST naming `to` where a time does not begin before it ends; to be asked with the defaults filled
 * in.
 */
export function refuseBackwards(
  { from, to }: Readonly<{ from: Date; to: Date }>,
  path: "query.to" | "/to" | "/filter/to",
): void {
  if (from >= to)
    throw new Problem("INVALID_REQUEST", undefined, { mistakes: [{ path, message: "is not after from" }] });
}
