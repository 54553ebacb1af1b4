/** Why a client has to read its lists again, each in a sentence for the API's document. */
export const resetReasons = {
  unreadable: "what was sent is no cursor",
  epoch: "the log of changes was made anew",
  foreign: "the cursor is another user's, or from before the log of changes got more partitions",
  moved: "the log of changes got more partitions while the client followed it",
  "beyond-end": "the cursor is ahead of the log",
  "too-old": "so many changes came since, or the log is so short, that they are not given one by one",
  gap: "the log lost changes before they were read",
} as const satisfies Readonly<Record<string, string>>;

export type ResetReason = keyof typeof resetReasons;
