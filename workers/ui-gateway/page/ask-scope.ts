import type { ChangeScope } from "./api.ts";
import { ask } from "./ask.ts";
import type { Task } from "./shapes.ts";

/** What is to be deleted: asked for an occurrence alone, of which there are more. `null`: nothing. */
export async function askDeletion({ title, template_id, is_recurring_template }: Task): Promise<ChangeScope | null> {
  if (is_recurring_template)
    return await ask({
      title: `Stop “${title}”?`,
      text: "It makes no more tasks. Those that are open stay.",
      answers: [["this", "Stop repeating"]],
    });
  if (template_id === null) return "this";
  return await ask({
    title: `Delete “${title}”?`,
    text: "It repeats.",
    answers: [
      ["this", "Only this one"],
      ["future", "This and later ones"],
      ["all", "All of them"],
    ],
  });
}

/** Whether a series is to end with this occurrence: said once, it makes no more. */
export async function askStopAfter({ title }: Task): Promise<boolean> {
  const answer = await ask({
    title: `End “${title}” here?`,
    text: "This one stays; none come after it.",
    answers: [["stop", "End it here"]],
  });
  return answer === "stop";
}
