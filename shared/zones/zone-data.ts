/** One edition of the IANA time zone database. */
export type ZoneData = Readonly<{
  /** As IANA names its editions: `2026f`. */
  version: string;
  /** Where it was read: `bundled`, or a directory. */
  source: string;
  /** In alphabetical order, links among them. */
  names: readonly string[];
  /** The TZif file of a zone by its exact name. */
  bytesOf: (name: string) => Uint8Array | undefined;
}>;

/** Whether a text is an edition's name; later editions sort later as text. */
export function isEdition(text: string): boolean {
  return /^\d{4}[a-z]{1,2}(?:-|$)/.test(text);
}
