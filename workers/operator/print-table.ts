type PrintedCell = string | number | bigint | Date | null;

/** A field of a row under its own name, or a title with the field or what is made of the row. */
type PrintedColumn<Row> = keyof Row | readonly [title: string, show: keyof Row | ((row: Row) => PrintedCell)];

/** A table of rows by these columns; titles are in capitals. */
export function tableOf<Row extends object>(columns: readonly PrintedColumn<Row>[], rows: readonly Row[]): string {
  const pairs = columns.map((column) => (typeof column === "object" ? column : ([column, column] as const)));
  const cells = rows.map((row) => pairs.map(([, show]) => (typeof show === "function" ? show(row) : cell(row[show]))));
  return printTable(
    pairs.map(([title]) => String(title).toUpperCase()),
    cells,
  );
}

function cell(value: unknown): PrintedCell {
  if (value === null || value instanceof Date) return value;
  return typeof value === "number" || typeof value === "bigint" ? value : String(value);
}

/** The first line of a text, cut. */
export const cut = (text: string, length = 80) => (text.split("\n")[0] ?? "").slice(0, length);

/** Columns as wide as their widest cell; numbers to the right, null as a dash. */
export function printTable(columns: readonly string[], rows: readonly (readonly PrintedCell[])[]): string {
  const texts = rows.map((row) => row.map((cell) => textOf(cell)));
  const widths = columns.map((name, i) => Math.max(name.length, ...texts.map((row) => row[i]?.length ?? 0)));
  const right = columns.map((_, i) => rows.length > 0 && rows.every((row) => isNumber(row[i] ?? 0)));
  const line = (cells: readonly string[]) =>
    cells
      .map((cell, i) => (right[i] ? cell.padStart(widths[i] ?? 0) : cell.padEnd(widths[i] ?? 0)))
      .join("  ")
      .trimEnd();
  return [line(columns), ...texts.map(line)].join("\n");
}

function textOf(cell: PrintedCell): string {
  return cell === null ? "-" : cell instanceof Date ? cell.toISOString() : String(cell);
}

function isNumber(cell: PrintedCell): boolean {
  return typeof cell === "number" || typeof cell === "bigint";
}
