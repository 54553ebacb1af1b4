import type { ReminderChoices } from "../../../shared/reminders/resolve-reminders.ts";
import type { Breathe } from "../../../shared/waiting/breathe.ts";
import { decideUnset } from "../decide-coming.ts";
import type { FoldedOperation } from "./fold-batch.ts";

/**
 * The results with the rules that make no reminder, of the tasks whose reminders an update spoke of. Ten rules of 500
 * tasks take 0.2 s and more, so others get their turn between them.
 */
export async function tellUnset(
  results: readonly FoldedOperation[],
  choices: ReminderChoices,
  breathe: Breathe,
): Promise<readonly FoldedOperation[]> {
  const told: FoldedOperation[] = [];
  for (const result of results) {
    if (!("reminded" in result)) {
      told.push(result);
      continue;
    }
    await breathe();
    const { reminded, ...rest } = result;
    const unset = reminded === undefined ? [] : decideUnset(reminded, choices);
    told.push(unset.length === 0 ? rest : { ...rest, task: { ...rest.task, unset_reminders: unset } });
  }
  return told;
}
