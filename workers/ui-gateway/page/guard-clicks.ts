const withinMs = 500;
const withinPx = 8;

/**
 * Drops a click that follows another at the same place within half a second and lands on another control: the page has moved under the
 * pointer, and the click was meant for what was there before. Clicks by keyboard have no place.
 */
export function guardClicks(now: () => number = () => performance.now()): void {
  let last: Readonly<{ x: number; y: number; at: number; control: Element | null }> | null = null;
  // Who has typed something in between knows what is there now.
  document.addEventListener("input", ({ target }) => {
    if (target instanceof Element && !target.matches("[type=checkbox]")) last = null;
  });
  document.addEventListener(
    "click",
    (event) => {
      // The click of a key has no detail. That of a label is followed by one of its control: both count as the label.
      if (!(event instanceof MouseEvent) || event.detail === 0 || !(event.target instanceof Element)) return;
      const control = event.target.closest("label") ?? event.target.closest("button, input, select, a");
      const { clientX: x, clientY: y } = event;
      const isSamePlace = last !== null && Math.hypot(x - last.x, y - last.y) <= withinPx && now() - last.at < withinMs;
      const isMeant = !isSamePlace || control === null || control === last?.control;
      last = { x, y, at: now(), control: isMeant ? control : (last?.control ?? null) };
      if (isMeant) return;
      event.preventDefault();
      event.stopImmediatePropagation();
    },
    { capture: true },
  );
}
