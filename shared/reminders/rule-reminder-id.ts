import { deriveId } from "../messages/derive-id.ts";

/** One reminder per task and rule, whoever decides and however often. */
export function ruleReminderId(taskId: string, rule: string): string {
  return deriveId("reminder", taskId, rule);
}
