/** Resolves after a while, or at once when the browser says that it is connected again. */
export async function waitForNetwork(ms: number): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  const timer = setTimeout(resolve, ms);
  window.addEventListener("online", () => resolve(), { once: true });
  await promise;
  clearTimeout(timer);
}
