import { openDialog } from "./dialog.ts";
import { element } from "../../../shared/page/element.ts";

type TableCell = string | number | Node;
type TableColumn = Readonly<{ title: string; kind?: "number" | "text" | "mono" | "actions" }>;

/** A table whose first column names its rows; `empty` is said where there are none. */
export function table(
  label: string,
  columns: readonly TableColumn[],
  rows: readonly (readonly TableCell[])[],
  empty: string,
): HTMLElement {
  if (rows.length === 0) return element("p", { class: "empty" }, empty);
  const heads = columns.map(({ title, kind }) =>
    kind === "actions"
      ? element("td", {})
      : element("th", { scope: "col", ...(kind === "number" ? { class: "number" } : {}) }, title),
  );
  const body = rows.map((cells) =>
    element(
      "tr",
      {},
      ...cells.map((cell, i) => {
        const content = typeof cell === "number" ? cell.toLocaleString() : cell;
        const kind = columns[i]?.kind;
        if (i === 0) return element("th", { scope: "row" }, content);
        return element("td", kind === undefined ? {} : { class: kind }, content);
      }),
    ),
  );
  const made = element(
    "table",
    { "aria-label": label },
    element("thead", {}, element("tr", {}, ...heads)),
    element("tbody", {}, ...body),
  );
  return element("div", { class: "scroll", tabindex: "0", role: "group", "aria-label": `${label}, table` }, made);
}

/**
 * A button that says why when what it does fails, and stays the focused one when its table is drawn anew: `name` must
 * be its own in the page.
 */
export function button(text: string, name: string, onClick: () => void | Promise<void>): HTMLButtonElement {
  const made = element("button", { type: "button", "aria-label": name, "data-name": name }, text);
  made.addEventListener("click", () => {
    Promise.try(onClick).catch((error: unknown) => {
      const text = error instanceof Error ? error.message : String(error);
      void openDialog({ title: "That did not work", content: [element("p", {}, text)] });
    });
  });
  return made;
}

export function actions(...buttons: readonly HTMLButtonElement[]): HTMLElement {
  return element("div", { class: "actions" }, ...buttons);
}

const drawn = new Map<string, string>();

/** Draws a part anew when what it shows has changed, and gives the focus back to the button that had it. */
export function draw(place: HTMLElement, shows: unknown, make: () => Node): void {
  const now = JSON.stringify(shows);
  if (drawn.get(place.id) === now && place.childElementCount > 0) return;
  drawn.set(place.id, now);
  const focused = place.contains(document.activeElement) ? document.activeElement?.getAttribute("data-name") : null;
  place.replaceChildren(make());
  if (focused) place.querySelector<HTMLElement>(`[data-name="${CSS.escape(focused)}"]`)?.focus();
}
