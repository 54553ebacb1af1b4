const key = "taskwire-session";

/** The other tabs of this browser have the same cookie, and so the same person: tells them that it has changed. */
export function tellTabs(): void {
  localStorage.setItem(key, crypto.randomUUID());
}

/** Calls `react` when another tab has told so. */
export function onTabs(react: () => void): void {
  window.addEventListener("storage", (event) => {
    if (event.key === key) react();
  });
}
