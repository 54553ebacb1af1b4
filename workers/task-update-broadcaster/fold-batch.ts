import type { Message, Received } from "../../shared/message.ts";
import { foldView, taskIdOf, viewEventOf, viewPayload, type View } from "./fold-view.ts";

export type FoldedBatch = Readonly<{
  /** One answer per message, in their order. */
  answers: readonly (readonly Message[])[];
  /** The views that differ from what was loaded. */
  changed: readonly View[];
  /** Messages whose user is not the task's: not merged anywhere. */
  foreign: readonly Received[];
}>;

/**
 * Folds a batch into the views loaded for it; pure. `updated`s of a task with nothing else of that task between them become one,
 * told by the last of them: they piled up while the batch before ran, and the last view contains the others. Created,
 * completed and deleted are always told.
 */
export function foldBatch(messages: readonly Received[], loaded: ReadonlyMap<string, View>): FoldedBatch {
  const views = new Map(loaded);
  const answers: (readonly Message[])[] = messages.map(() => []);
  const foreign: Received[] = [];
  /** By task: where its last change was answered, if that was an `updated`. */
  const lastUpdated = new Map<string, number>();

  for (const [index, message] of messages.entries()) {
    const event = viewEventOf(message);
    if (event === null) continue;
    const taskId = taskIdOf(event);
    const { view, change } = foldView(views.get(taskId) ?? null, event);
    if (change === "foreign") {
      foreign.push(message);
      continue;
    }
    if (change === "silent" || view.folded === null) {
      views.set(taskId, view);
      continue;
    }
    const told = { ...view, viewVersion: view.viewVersion + 1 };
    views.set(taskId, told);
    const merged = change === "updated" ? lastUpdated.get(taskId) : undefined;
    if (merged !== undefined) answers[merged] = [];
    if (change === "updated") lastUpdated.set(taskId, index);
    else lastUpdated.delete(taskId);
    answers[index] = [
      {
        type: "TaskChanged",
        key: told.userId,
        subject: taskId,
        sequence: told.viewVersion,
        data: {
          task_id: taskId,
          user_id: told.userId,
          change_type: change,
          payload: viewPayload(view.folded, told),
          timestamp: message.time,
        },
      },
    ];
  }
  return { answers, changed: [...views.values()].filter((view) => loaded.get(view.taskId) !== view), foreign };
}
