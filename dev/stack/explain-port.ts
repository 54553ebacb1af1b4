/**
 * One line on why something is not on its usual port, `null` when it is. `usual` are the ports it would rather have,
 * best first; `before` is where it was the last time, which it keeps so that addresses stay good.
 */
export function explainPort({
  what,
  port,
  usual,
  before,
}: Readonly<{ what: string; port: number; usual: readonly number[]; before?: number | undefined }>): string | null {
  if (port === usual[0]) return null;
  if (port === before) return `${what} stays on ${port}, where it was before (usual: ${usual[0]})`;
  const preferred = [...(before === undefined ? [] : [before]), ...usual];
  const passed = preferred.slice(0, preferred.includes(port) ? preferred.indexOf(port) : undefined);
  const names = [...new Set(passed)];
  const list = [names.slice(0, -1).join(", "), ...names.slice(-1)].filter((name) => name !== "").join(" and ");
  return `${list} ${names.length === 1 ? "is" : "are"} taken; ${what} is on ${port}`;
}
