import type { Message, ReceivedMessage } from "../../shared/messages/message.ts";
import type { ChangeType } from "../../shared/messages/records.ts";
import { foldView, taskIdOf, viewEventOf, viewPayload, type View } from "./fold-view.ts";

type FoldedBatch = Readonly<{
  /** One answer per message, in their order. */
  answers: readonly (readonly Message[])[];
  /** The views that differ from what was loaded. */
  changed: readonly View[];
  /** Messages whose user is not the task's: not merged anywhere. */
  foreign: readonly ReceivedMessage[];
}>;

/**
 * Folds a batch into the views loaded for it; pure. `updated`s of a task with nothing else of that task between them
 * become one, told by the last of them: they piled up while the batch before ran, and the last view contains the
 * others. So do `deleted`s. Created, completed and a deletion are always told. View versions told are above `floor`.
 */
export function foldBatch(
  messages: readonly ReceivedMessage[],
  loaded: ReadonlyMap<string, View>,
  floor = 0,
): FoldedBatch {
  const views = new Map(loaded);
  const answers: (readonly Message[])[] = messages.map(() => []);
  const foreign: ReceivedMessage[] = [];
  /** By task: its last change, and where it was answered. */
  const last = new Map<string, Readonly<{ change: ChangeType; index: number }>>();

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
    const told = { ...view, viewVersion: Math.max(view.viewVersion, floor) + 1 };
    views.set(taskId, told);
    const before = last.get(taskId);
    if (before?.change === change && (change === "updated" || change === "deleted")) answers[before.index] = [];
    last.set(taskId, { change, index });
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
