export type Drawing = Readonly<{
  /** Draws with the next frame, once for all that was asked meanwhile; not while a pointer is pressed in the area. */
  soon: () => void;
  /** Draws at once. */
  now: () => void;
}>;

/** A hidden tab has no frames, and its reminders are still told. */
const latestMs = 250;

/**
 * Draws an area of the page, at most once a frame. While a pointer is pressed in the area it stays as it is: a control that is replaced
 * or moved between press and release gets no click.
 */
export function makeDrawing(area: HTMLElement, draw: () => void): Drawing {
  let isAsked = false;
  let isPressed = false;
  const now = () => {
    isAsked = false;
    draw();
  };
  const soon = () => {
    if (isAsked) return;
    isAsked = true;
    const run = () => {
      if (isAsked && !isPressed) now();
    };
    requestAnimationFrame(run);
    setTimeout(run, latestMs);
  };
  const release = () => {
    if (!isPressed) return;
    isPressed = false;
    if (!isAsked) return;
    isAsked = false;
    // The click follows the release: of a mouse in the same task, of a finger a moment later.
    setTimeout(soon, 50);
  };
  area.addEventListener("pointerdown", () => (isPressed = true));
  for (const event of ["pointerup", "pointercancel", "blur"]) window.addEventListener(event, release);
  return { soon, now };
}
