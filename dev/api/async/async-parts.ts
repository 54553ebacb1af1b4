type AsyncSection = Readonly<Record<string, unknown>>;

/** What one protocol adds to the AsyncAPI document; messages and schemas are components. */
export type AsyncParts = Readonly<{
  channels: AsyncSection;
  operations: AsyncSection;
  messages: AsyncSection;
  schemas: AsyncSection;
}>;

/** The id of an operation: `taskServiceSendsTaskEvents`. */
export function operationName(who: string, verb: string, what: string): string {
  const words = [who, verb, what].join("-").split("-");
  return words.map((word, index) => (index === 0 ? word : word.charAt(0).toUpperCase() + word.slice(1))).join("");
}
