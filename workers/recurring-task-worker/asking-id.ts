import { deriveId } from "../../shared/messages/derive-id.ts";
import type { Series } from "./series.ts";
import { nextNumber } from "./decide-series.ts";

/**
 * The id of a CreateOccurrence that no message caused: computed, so that of two requests for one occurrence the reader
 * drops the second. A request for an occurrence that was dropped before gets another id, from its next number: the
 * first request may have been read.
 */
export function askingId({ occurrences }: Series, occurrenceId: string): string {
  const isAgain = occurrences.some(({ id, dropped }) => dropped && id === occurrenceId);
  return deriveId("CreateOccurrence", occurrenceId, ...(isAgain ? [String(nextNumber(occurrences))] : []));
}
