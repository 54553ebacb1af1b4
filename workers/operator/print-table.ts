export type Cell = string | number | bigint | null;

/** Columns as wide as their widest cell; numbers to the right, null as a dash. */
export function printTable(columns: readonly string[], rows: readonly (readonly Cell[])[]): string {
  const texts = rows.map((row) => row.map((cell) => (cell === null ? "-" : String(cell))));
  const widths = columns.map((name, i) => Math.max(name.length, ...texts.map((row) => row[i]?.length ?? 0)));
  const right = columns.map((_, i) => rows.length > 0 && rows.every((row) => typeof (row[i] ?? 0) !== "string"));
  const line = (cells: readonly string[]) =>
    cells
      .map((cell, i) => (right[i] ? cell.padStart(widths[i] ?? 0) : cell.padEnd(widths[i] ?? 0)))
      .join("  ")
      .trimEnd();
  return [line(columns), ...texts.map(line)].join("\n");
}
