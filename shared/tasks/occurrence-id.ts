import { deriveId } from "../messages/derive-id.ts";

/** The id of an occurrence's task: whoever knows the template and the recurrence knows it, before the task is there. */
export function occurrenceId(templateId: string, recurrenceId: string): string {
  return deriveId("occurrence", templateId, recurrenceId);
}
