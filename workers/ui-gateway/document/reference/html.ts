/** Text as HTML: nothing in it is markup. */
export function escape(value: unknown): string {
  return (typeof value === "string" ? value : "").replaceAll(
    /[&<>"']/g,
    (character) => `&#${character.codePointAt(0)};`,
  );
}

/** The same, with what stands between backticks as code. */
export function prose(value: unknown): string {
  return escape(value).replaceAll(/`([^`]+)`/g, "<code>$1</code>");
}

export function table(heads: readonly string[], rows: readonly (readonly string[])[]): string {
  if (rows.length === 0) return "";
  const head = heads.map((text) => `<th scope="col">${escape(text)}</th>`).join("");
  // Focusable, so that one too wide for the page can be scrolled without a mouse.
  return `<div class="wide" tabindex="0" role="group" aria-label="${escape(heads.join(", "))}"><table><thead><tr>${head}</tr></thead><tbody>
${rows.map((cells) => `<tr>${cells.map((cell) => `<td>${cell}</td>`).join("")}</tr>`).join("\n")}
</tbody></table></div>`;
}

export function code(text: unknown): string {
  return `<code>${escape(text)}</code>`;
}

export function block(text: string): string {
  return `<pre tabindex="0">${escape(text)}</pre>`;
}
