/**
 * Makes `rows` the children of a list, in order. A row that is there already is not taken out, and the row that has the
 * focus is never moved: moving a node takes its focus, its selection and an unfinished composition of letters.
 */
export function placeRows(list: HTMLElement, rows: readonly HTMLElement[]): void {
  const wanted = new Set<Node>(rows);
  for (const child of Array.from(list.children)) if (!wanted.has(child)) child.remove();
  const still = rows.find((row) => row.contains(document.activeElement));
  let next = list.firstElementChild;
  for (const row of rows) {
    // What stands before it belongs behind it: one step for the usual case, that a single row has moved down.
    while (
      next !== null &&
      next !== row &&
      row.parentNode === list &&
      (row === still || row === next.nextElementSibling)
    ) {
      const stray = next;
      next = next.nextElementSibling;
      list.append(stray);
    }
    if (row === next) next = next.nextElementSibling;
    else list.insertBefore(row, next);
  }
}
