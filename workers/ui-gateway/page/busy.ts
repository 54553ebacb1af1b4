/** Switches controls off while their request runs. */
export async function busy(
  controls: readonly (HTMLInputElement | HTMLButtonElement)[],
  work: () => Promise<void>,
): Promise<void> {
  for (const control of controls) control.disabled = true;
  try {
    await work();
  } finally {
    for (const control of controls) control.disabled = false;
  }
}
