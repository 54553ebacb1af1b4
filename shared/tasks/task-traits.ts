import type { Headers, Message } from "../messages/message.ts";
import { utf8Text } from "../bytes.ts";

/**
 * The header that tells of a new task, beside its type, what a group can decide by before it decodes. A CloudEvents
 * extension attribute.
 */
export const traitsHeader = "ce_traits";

/**
 * What a new task has, by word: `due` a due time, day or zone, `template` a pattern, `occurrence` a template. `null`
 * for other messages.
 */
export function traitsOf(message: Pick<Message, "type" | "data">): string | null {
  // The type of the data goes with the type of the message.
  return message.type === "TaskCreated"
    ? createdTraits((message as Extract<Message, { type: "TaskCreated" }>).data)
    : null;
}

function createdTraits(data: Extract<Message, { type: "TaskCreated" }>["data"]): string {
  const traits = [
    ...(data.due_date === null && data.due_on === null && data.due_tz === null ? [] : ["due"]),
    ...(data.is_recurring_template || data.recurrence_pattern !== null ? ["template"] : []),
    ...(data.template_id === null && data.recurrence_id === null ? [] : ["occurrence"]),
  ];
  return traits.length === 0 ? "none" : traits.join(" ");
}

/**
 * Whether a record says that it is a new task with none of these. Written by a build that said nothing of it, it may
 * have any.
 */
export function isPlainCreation(headers: Headers): boolean {
  const of = (name: string) => {
    const value = headers.findLast(([header]) => header === name)?.[1];
    return value === undefined ? null : utf8Text(value);
  };
  return of("ce_type") === "TaskCreated" && of(traitsHeader) === "none";
}
