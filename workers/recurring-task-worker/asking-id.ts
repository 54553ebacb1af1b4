import { deriveId } from "../../shared/derive-id.ts";
import type { Series } from "./advance-series.ts";
import { nextNumber } from "./decide-series.ts";

/**
 * The id of the message that asks for an occurrence where no message caused it: whoever asks first, so that a second one would be dropped
 * by its reader. What was dropped is asked for again with another, of the number it is about to have: the first may have been read.
 */
export function askingId({ occurrences }: Series, occurrenceId: string): string {
  const isAgain = occurrences.some(({ id, dropped }) => dropped && id === occurrenceId);
  return deriveId("CreateOccurrence", occurrenceId, ...(isAgain ? [String(nextNumber(occurrences))] : []));
}
