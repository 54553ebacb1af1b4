const longest = 500;

/**
 * A title that is too long or empty is complained about: cutting it short, as `maxlength` does, loses its end in
 * silence.
 */
export function checkTitle(field: HTMLInputElement): void {
  const { length } = field.value.trim();
  const isBlank = length === 0 && field.value !== "";
  field.setCustomValidity(
    length > longest
      ? `A title has ${longest} letters at most; this one has ${length}.`
      : isBlank
        ? "Say what needs doing."
        : "",
  );
}
