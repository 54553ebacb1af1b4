type KeepFocus = (draw: () => void) => void;

/**
 * Watches where the focus is. The function it returns draws and gives the focus back to the control of the same
 * `data-focus`, should drawing have taken it away. Where that control is gone, the same kind of control (the first
 * word) gets it in the row that stands in its place now; `list`, the parent of the rows, where no row is left. Nothing
 * scrolls.
 */
export function watchFocus(list: HTMLElement): KeepFocus {
  let last: string | null = null;
  // A control that is switched off while it works loses the focus without another getting it, as does one behind a
  // dialog.
  document.addEventListener("focusin", ({ target }) => {
    if (!(target instanceof Element) || target.closest("dialog")) return;
    last = target.closest<HTMLElement>("[data-focus]")?.dataset["focus"] ?? null;
  });
  // A click elsewhere means to leave it.
  document.addEventListener("pointerdown", ({ target }) => {
    if (!(target instanceof Element) || !target.closest("dialog")) last = null;
  });
  const find = (within: ParentNode, isIt: (key: string) => boolean) =>
    [...within.querySelectorAll<HTMLElement>("[data-focus]")].find(({ dataset }) => isIt(dataset["focus"] ?? ""));
  return (draw) => {
    const key = last;
    const row = key === null ? undefined : find(list, (each) => each === key)?.closest("li.card");
    const place = row ? [...list.children].indexOf(row) : -1;
    draw();
    if (key === null || document.activeElement !== document.body) return;
    const kind = `${key.split(" ")[0]} `;
    const instead = list.children[Math.min(Math.max(place, 0), list.children.length - 1)];
    const again = find(document, (each) => each === key) ?? (instead && find(instead, (each) => each.startsWith(kind)));
    (again ?? list).focus({ preventScroll: true });
  };
}
