/**
 * The mailbox an address most likely leads to, to compare by: in lower case and without `+tag`, so that spellings of
 * one address count as one. `Ada+Home@Example.org` is `ada@example.org`.
 */
export function mailboxOf(address: string): string {
  const at = address.lastIndexOf("@");
  const name = address.slice(0, Math.max(at, 0));
  const untagged = name.indexOf("+") > 0 ? name.slice(0, name.indexOf("+")) : name;
  return `${untagged}${address.slice(Math.max(at, 0))}`.toLowerCase();
}
