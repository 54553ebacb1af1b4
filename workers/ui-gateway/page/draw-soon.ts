type DrawScheduler = Readonly<{
  /** Draws with the next frame, once for all that was asked meanwhile; not while a pointer is pressed in the area. */
  soon: () => void;
  /** Draws at once. */
  now: () => void;
}>;

/** A hidden tab has no frames, and its reminders are still told. */
const latestMs = 250;

/**
 * Draws some areas of the page, at most once a frame. While a pointer is pressed in one of them they stay as they are:
 * a control that is replaced or moved between press and release gets no click.
 */
export function makeDrawing(areas: readonly HTMLElement[], draw: () => void): DrawScheduler {
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
  for (const area of areas) area.addEventListener("pointerdown", () => (isPressed = true));
  for (const event of ["pointerup", "pointercancel", "blur"]) window.addEventListener(event, release);
  // Released where the page does not hear of it.
  window.addEventListener("pointermove", ({ buttons }) => {
    if (buttons === 0) release();
  });
  return { soon, now };
}
