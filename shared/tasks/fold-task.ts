import { foldFields, type FieldValue, type FoldedFields } from "./fold-fields.ts";
import { pick } from "../pick.ts";
import { jsonOf } from "./json-of.ts";
import { eventTime, type TaskEvent } from "./task-event.ts";
import { createdFields, taskFieldNames } from "./task-fields.ts";
import { tasks } from "./task-table.ts";

/**
 * A task as its events tell it, JSON through and through (stored as jsonb). Each field remembers the version and the
 * time that set it; status, completed_at and deleted_at are fields like the others. Fields of a newer build are kept as
 * they came. `version` is the highest seen. Until TaskCreated has come, fields are missing: ask `isCreated`.
 */
export type FoldedTask = Readonly<{ id: string; user_id: string; version: number; fields: FoldedFields }>;

/**
 * Folds one event of a task into what is known of it; pure. Any order and any repetition of a task's events gives the
 * same result, so a redriven event can come at any time. A late event sets exactly the fields nobody has set since. An
 * event of another task or user is not merged: the state comes back as it was. So does it, the same object, when the
 * event says nothing new.
 */
export function foldTask(state: FoldedTask | null, event: TaskEvent): FoldedTask {
  const { user_id } = event.data;
  const base = state ?? { id: event.subject, user_id, version: 0, fields: {} };
  if (base.id !== event.subject || base.user_id !== user_id) return base;
  const time = eventTime(event).getTime();
  const set = { ...fieldsSetBy(event), updated_at: new Date(time).toISOString() };
  const fields = foldFields(base.fields, set, event.sequence, time);
  return fields === base.fields ? base : { ...base, fields, version: Math.max(base.version, event.sequence) };
}

/** Whether TaskCreated is among what was folded; before it a view of the task would have holes. */
export function isCreated(task: FoldedTask | null): task is FoldedTask {
  return task !== null && Object.hasOwn(task.fields, "created_at");
}

function fieldsSetBy(event: TaskEvent): Readonly<Record<string, FieldValue>> {
  switch (event.type) {
    case "TaskCreated": {
      const said = pick(event.data, createdFields);
      return {
        ...Object.fromEntries(Object.entries(said).map(([name, value]) => [name, jsonOf(value)])),
        status: "open",
        completed_at: null,
        deleted_at: null,
      };
    }
    case "TaskUpdated":
      return withOneSpellingOfDates(event.data.updated_fields);
    case "TaskCompleted":
      return { status: "completed", completed_at: event.data.completed_at.toISOString() };
    case "TaskDeleted":
      return { deleted_at: event.data.deleted_at.toISOString() };
  }
}

const times: readonly string[] = taskFieldNames.filter((name) => tasks[name].dataType === "date");

/**
 * 2024-12-31T23:59:59Z and …59.000Z are one instant: written one way, or a view would differ by who wrote the event.
 */
function withOneSpellingOfDates(updated: Readonly<Record<string, FieldValue>>): Readonly<Record<string, FieldValue>> {
  return Object.fromEntries(
    Object.entries(updated)
      // TaskCreated alone says when a task began; its presence is how `isCreated` knows.
      .filter(([name]) => name !== "created_at")
      .map(([name, value]) => {
        const time = times.includes(name) && typeof value === "string" ? Date.parse(value) : Number.NaN;
        return [name, Number.isNaN(time) ? value : new Date(time).toISOString()];
      }),
  );
}
