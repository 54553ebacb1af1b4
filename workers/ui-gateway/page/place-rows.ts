/** Makes `rows` the children of a list, in order. Rows that are there already are not taken out, so what is typed in them stays. */
export function placeRows(list: HTMLElement, rows: readonly HTMLElement[]): void {
  const wanted = new Set<Node>(rows);
  for (const child of Array.from(list.children)) if (!wanted.has(child)) child.remove();
  let next = list.firstElementChild;
  for (const row of rows)
    if (row === next) next = next.nextElementSibling;
    else list.insertBefore(row, next);
}
