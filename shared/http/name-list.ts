/**
 * The name of a list for its cursors (see `encodeCursor`): the filters that are given are part of it, so a cursor goes
 * on with the same ones alone. Without any it is `list` itself.
 */
export function nameList(list: string, filters: Readonly<Record<string, string | boolean | Date | null>>): string {
  const given = Object.entries(filters).flatMap(([name, value]) =>
    value === null ? [] : [`${name}=${value instanceof Date ? value.toISOString() : value}`],
  );
  return [list, ...given].join("/");
}
