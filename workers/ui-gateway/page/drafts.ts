import type { AddDraft } from "./add-form.ts";

const key = "taskwire-drafts";

type Drafts = Readonly<{
  get: (userId: string) => AddDraft | undefined;
  /** `null` forgets it. */
  put: (userId: string, draft: AddDraft | null) => void;
}>;

/** What each person has begun to write in this tab. It survives a reload, and goes with the tab. */
export function openDrafts(): Drafts {
  const drafts = new Map<string, AddDraft>(read());
  return {
    get: (userId) => drafts.get(userId),
    put: (userId, draft) => {
      if (draft === null) drafts.delete(userId);
      else drafts.set(userId, draft);
      sessionStorage.setItem(key, JSON.stringify([...drafts]));
    },
  };
}

function read(): readonly (readonly [string, AddDraft])[] {
  try {
    // Written by the function above, by this build or one before it.
    return JSON.parse(sessionStorage.getItem(key) ?? "[]") as readonly (readonly [string, AddDraft])[];
  } catch {
    return [];
  }
}
