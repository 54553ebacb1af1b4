export type Attributes = Readonly<Record<string, string | boolean>>;

/** An element with attributes and children; text stays text, so nothing a user typed can become markup. */
export function element<K extends keyof HTMLElementTagNameMap>(
  tag: K,
  attributes: Attributes = {},
  ...children: readonly (Node | string)[]
): HTMLElementTagNameMap[K] {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes))
    if (value === true) made.setAttribute(name, "");
    else if (value !== false) made.setAttribute(name, value);
  made.append(...children);
  return made;
}

/** The element with this id; the page is broken when it is missing, and says so. */
export function byId<T extends HTMLElement = HTMLElement>(id: string): T {
  const found = document.getElementById(id);
  if (!found) throw new Error(`index.html has no #${id}`);
  // The caller names the tag it wrote in index.html.
  return found as T;
}
