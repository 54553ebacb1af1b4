/** Creates a second. */
export const rates = [50, 200, 500] as const;

/** At rest in % of a core, then ms of CPU per create at each of the rates. */
export type Measure = readonly number[];

/**
 * What every part, and all together, may cost: the rows of DESIGN's table, the one whose columns are these. Throws
 * where it is not there.
 */
export function readBudget(design: string): ReadonlyMap<string, Measure> {
  const heading = ["part", "at rest", ...rates.map((rate) => `${rate}/s`)].join();
  const rows = design.split("\n").map((line) =>
    line
      .split("|")
      .slice(1, -1)
      .map((cell) => cell.trim().replaceAll(/[*`]/g, "")),
  );
  const at = rows.findIndex((cells) => cells.join() === heading);
  if (at < 0) throw new Error(`DESIGN.md has no table with the columns ${heading}`);
  const end = rows.findIndex((cells, row) => row > at && cells.length === 0);
  const budget = rows
    .slice(at + 2, end)
    .map(([name = "", ...cells]) => [name, cells.map((cell) => Number(/^[\d.]+/.exec(cell)?.[0]))] as const);
  return new Map(budget);
}
