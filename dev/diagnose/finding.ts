/** `bad` keeps dev from starting; `note` is worth knowing. */
export type Finding = Readonly<{ state: "good" | "note" | "bad"; what: string; found: string; how?: string }>;
