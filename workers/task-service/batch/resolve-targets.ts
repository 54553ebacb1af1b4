import type { BatchOperation } from "./batch-schema.ts";

/** Which task each operation is about: `ids` are of the creates, in order; every `$` names a create before it. */
export function resolveTargets(operations: readonly BatchOperation[], ids: readonly string[]): readonly string[] {
  const named = new Map<string, string>();
  const left = [...ids];
  return operations.map((operation) => {
    if (operation.op !== "create") return named.get(operation.id) ?? operation.id.toLowerCase();
    const id = left.shift() ?? "";
    if (operation.temp_id !== undefined) named.set(`$${operation.temp_id}`, id);
    return id;
  });
}
