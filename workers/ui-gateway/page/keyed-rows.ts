import { placeRows } from "./place-rows.ts";

/** One row of a list: `shows` is all that can be seen in it, as text. */
type KeyedRow = Readonly<{ key: string; shows: string; make: () => HTMLElement }>;

/**
 * Returns the function that shows rows in a list, in order. A row is made again only when what it shows has changed.
 */
export function keyedRows(list: HTMLElement): (rows: readonly KeyedRow[]) => void {
  let held: ReadonlyMap<string, Readonly<{ shows: string; row: HTMLElement }>> = new Map();
  return (rows) => {
    const next = rows.map(({ key, shows, make }) => {
      const before = held.get(key);
      return [key, { shows, row: before?.shows === shows ? before.row : make() }] as const;
    });
    held = new Map(next);
    placeRows(
      list,
      next.map(([, { row }]) => row),
    );
  };
}
