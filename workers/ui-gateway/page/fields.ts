import { element, type Attributes } from "../../../shared/page/element.ts";

/** A control with its label before it. */
export function labelled(text: string, control: HTMLElement): HTMLLabelElement {
  return element("label", {}, text, control);
}

/** A box to tick, with its label after it. */
export function tick(
  text: string,
  attributes: Attributes = {},
): Readonly<{ root: HTMLLabelElement; box: HTMLInputElement }> {
  const box = element("input", { ...attributes, type: "checkbox" });
  return { root: element("label", { class: "tick" }, box, text), box };
}

/** A choice of one: values and their words, in this order. */
export function choice(
  attributes: Attributes,
  options: readonly (readonly [value: string, words: string])[],
): HTMLSelectElement {
  return element("select", attributes, ...options.map(([value, words]) => element("option", { value }, words)));
}

/** Shows a part of a form or hides it; what is hidden neither is sent nor complains. */
export function showPart(part: HTMLElement, isShown: boolean): void {
  part.hidden = !isShown;
  for (const control of part.querySelectorAll<HTMLInputElement | HTMLSelectElement>("input, select"))
    control.disabled = !isShown;
}

export function button(text: string, attributes: Attributes = {}): HTMLButtonElement {
  return element("button", { type: "button", ...attributes }, text);
}
