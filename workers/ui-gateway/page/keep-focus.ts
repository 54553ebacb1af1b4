export type KeepFocus = (draw: () => void) => void;

/**
 * Watches where the focus is. The function it returns draws and gives the focus back to the control of the same `data-focus`, should
 * drawing have replaced it; where that is gone, to `fallback`.
 */
export function watchFocus(fallback: HTMLElement): KeepFocus {
  let last: string | null = null;
  // A control that is switched off while it works loses the focus without another getting it, as does one behind a dialog.
  document.addEventListener("focusin", ({ target }) => {
    if (!(target instanceof Element) || target.closest("dialog")) return;
    last = target.closest<HTMLElement>("[data-focus]")?.dataset["focus"] ?? null;
  });
  // A click elsewhere means to leave it.
  document.addEventListener("pointerdown", ({ target }) => {
    if (!(target instanceof Element) || !target.closest("dialog")) last = null;
  });
  return (draw) => {
    const key = last;
    draw();
    if (key === null || document.activeElement !== document.body) return;
    const again = [...document.querySelectorAll<HTMLElement>("[data-focus]")].find(
      ({ dataset }) => dataset["focus"] === key,
    );
    (again ?? fallback).focus();
  };
}
