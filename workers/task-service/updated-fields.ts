import type { JsonOf } from "../../shared/tasks/json-of.ts";
import type { FieldSet } from "../../shared/tasks/task-fields.ts";
import type { StoredTask } from "../../shared/tasks/task-table.ts";

/**
 * `updated_fields` of TaskUpdated as this build writes it: absent is unchanged, null is cleared. A completion is
 * TaskCompleted and a deletion TaskDeleted; here they are taken back. Readers take the fields of a newer build as they
 * come.
 */
export type UpdatedFields = {
  readonly [F in FieldSet<"plain" | "due" | "recurrence">]?: JsonOf<StoredTask[F]>;
} & Readonly<{ status?: "open"; completed_at?: null; deleted_at?: null }>;
