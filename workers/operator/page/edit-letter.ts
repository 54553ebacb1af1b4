import { call } from "./api.ts";
import { openDialog } from "./dialog.ts";
import { element } from "../../../shared/page/element.ts";
import type { DeadLetterJson } from "./shapes.ts";

/**
 * Asks for the corrected record; the server checks it against the schema. The copy is a dead letter, to be redriven.
 */
export async function editLetter(letter: DeadLetterJson, changed: () => void): Promise<void> {
  const text = element("textarea", { name: "data", spellcheck: "false", "aria-label": "The record as JSON" });
  text.value = JSON.stringify(letter.value, null, 2);
  await openDialog({
    title: `Edit a copy of this ${letter.type ?? "record"}`,
    content: [
      element(
        "p",
        {},
        "The copy must fit the schema. The original is kept, and can no longer be redriven; redrive the copy.",
      ),
      text,
    ],
    confirm: "Make the copy",
    act: async (reason) => {
      await call("POST /api/dead-letters/:id/edit", { id: letter.id, data: readRecord(text.value), reason });
      changed();
    },
  });
}

function readRecord(text: string): Record<string, unknown> {
  try {
    // The server refuses what is no record.
    return JSON.parse(text) as Record<string, unknown>;
  } catch (error) {
    throw new Error(`That is not JSON: ${error instanceof Error ? error.message : String(error)}`, { cause: error });
  }
}
