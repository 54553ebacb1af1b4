/** Nobody sees in less that the page has moved, and clicks on what is there now. */
const unseenMs = 500;
/** How long after a click the page is watched at its place. */
const watchedMs = 5_000;
const withinPx = 8;

type ClickPosition = Readonly<{ x: number; y: number }>;
type Click = ClickPosition & {
  /** By the browser's clock of events: a page that is busy handles a click late. */
  at: number;
  /** What the click was meant for. */
  control: Element | null;
  /** What is there by now, and since when. */
  under: Element | null;
  since: number;
};

/**
 * Drops a click at the place of the last one that lands on another control, which came there less than half a second
 * ago: the page has moved under the pointer, and the click was meant for what was there before. Clicks by keyboard have
 * no place.
 */
export function guardClicks(): void {
  let last: Click | null = null;
  // Who has typed something in between knows what is there now.
  document.addEventListener("input", ({ target }) => {
    if (target instanceof Element && !target.matches("[type=checkbox]")) last = null;
  });
  new MutationObserver(() => {
    if (last === null || performance.now() - last.at > watchedMs) return;
    const under = controlOf(document.elementFromPoint(last.x, last.y));
    if (under !== last.under) Object.assign(last, { under, since: performance.now() });
  }).observe(document.body, { attributes: true, childList: true, subtree: true });
  document.addEventListener(
    "click",
    (event) => {
      // The click of a key has no detail. That of a label is followed by one of its control: both count as the label.
      if (!(event instanceof MouseEvent) || event.detail === 0 || !(event.target instanceof Element)) return;
      const { clientX: x, clientY: y, timeStamp: at } = event;
      const under = controlOf(event.target);
      const before = last !== null && Math.hypot(x - last.x, y - last.y) <= withinPx ? last : null;
      const isUnseen = before !== null && at - Math.max(before.at, before.since) < unseenMs;
      const isMeant = !isUnseen || under === null || under === before.control;
      const since = before !== null && under === before.under ? before.since : at;
      last = { x, y, at, control: isMeant ? under : before.control, under, since };
      if (isMeant) return;
      event.preventDefault();
      event.stopImmediatePropagation();
    },
    { capture: true },
  );
}

function controlOf(element: Element | null): Element | null {
  return element?.closest("label") ?? element?.closest("button, input, select, a") ?? null;
}
