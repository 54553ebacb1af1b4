import { z } from "zod";
import { Problem } from "../problem.ts";

const latestMs = 253_402_300_799_999;

/**
 * The parts that places are made of, in bounds that the database can hold: a made-up cursor is a mistake, never a
 * failure.
 */
export const placeParts = {
  /** As `toISOString` writes it, from 1970 to 9999. */
  time: z.iso.datetime({ precision: 3 }).refine((text) => Date.parse(text) >= 0 && Date.parse(text) <= latestMs),
  /** Milliseconds since 1970, to 9999. */
  ms: z.int().min(0).max(latestMs),
  id: z.guid(),
} as const;

/**
 * A keyset cursor: where a list goes on, as opaque text. `list` names the list and whatever else the place depends on
 * (its order, its filters), so that a cursor of one list is refused by another. Not signed: it holds nothing its owner
 * may not see, and a forged one finds no rows but their own.
 */
export function encodeCursor(list: string, place: readonly (string | number | null)[]): string {
  const bytes = new TextEncoder().encode(JSON.stringify([list, ...place]));
  return btoa(String.fromCharCode(...bytes))
    .replaceAll("+", "-")
    .replaceAll("/", "_")
    .replaceAll("=", "");
}

/**
 * The place a cursor names, of the shape `place`. Throws INVALID_REQUEST (`query.cursor`) for anything not made by
 * `encodeCursor`.
 */
export function decodeCursor<T>(list: string, cursor: string, place: z.ZodType<T>): T {
  const parts = readParts(cursor);
  if (parts?.[0] === list) {
    const read = place.safeParse(parts.slice(1));
    if (read.success) return read.data;
  }
  throw new Problem("INVALID_REQUEST", undefined, {
    mistakes: [{ path: "query.cursor", message: "is not a cursor of this list; ask for its first page again" }],
  });
}

function readParts(cursor: string): readonly unknown[] | null {
  try {
    const bytes = Uint8Array.from(atob(cursor.replaceAll("-", "+").replaceAll("_", "/")), (c) => c.charCodeAt(0));
    const parts: unknown = JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(bytes));
    return Array.isArray(parts) ? parts : null;
  } catch {
    // Not base64, not UTF-8, not JSON: all the same to the one who sent it.
    return null;
  }
}
