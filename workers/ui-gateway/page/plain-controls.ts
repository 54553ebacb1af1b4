import type { PlainField } from "../../../shared/tasks/task-fields.ts";
import { priorityField } from "./priority-field.ts";
import { remindFields } from "./remind-fields.ts";
import type { Task } from "./shapes.ts";

/**
 * The controls of plain fields in both forms, in their order: each has the name of its field. The title has its own
 * place.
 */
export function plainControls() {
  return { remind: remindFields(), priority: priorityField() } satisfies Partial<Controls>;
}

type Controls = { readonly [F in PlainField]: FormControl<Task[F]> };
type FormControl<V> = Readonly<{ root: HTMLElement; read: () => V; show: (value: V) => void }>;
type PlainControls = ReturnType<typeof plainControls>;
export type ControlField = keyof PlainControls;
export type ControlValues = Pick<Task, ControlField>;

/** What stands in them. */
export function readControls(controls: PlainControls): ControlValues {
  // Each control reads what its field holds.
  return Object.fromEntries(Object.entries(controls).map(([name, { read }]) => [name, read()])) as ControlValues;
}

export function showControls(controls: PlainControls, values: ControlValues): void {
  for (const name of Object.keys(controls) as ControlField[]) {
    // Each control shows what its field holds.
    const control = controls[name] as FormControl<unknown>;
    control.show(values[name]);
  }
}
