import type { CallToolResult } from "@modelcontextprotocol/server";
import { z } from "zod";
import { Refusal } from "./call-api.ts";

/** A call that takes back what was done; `null` where nothing was. */
type UndoCall = Readonly<{ tool: string; arguments: Readonly<Record<string, unknown>> }> | null;

export const taskId = z.uuid().describe("The task's id, as find_tasks shows it in brackets.");
export const callId = z
  .string()
  .regex(/^[\x21-\x7e]{1,100}$/)
  .optional()
  .describe(
    "Any new word for each call. Repeat a call whose answer you did not get with the same one: it is done once.",
  );
export const applyTo = z
  .enum(["this", "future", "all"])
  .default("this")
  .describe("Of a repeating task: this date, this and later ones, or the whole series.");
export const anyPage = z.looseObject({ items: z.array(z.unknown()) });

/** What tools answer: text for the model, the same as data, and how to take it back. */
export function said(text: string, undo: UndoCall = null): CallToolResult {
  const handle = undo === null ? "" : `\nUndo: ${undo.tool} ${JSON.stringify(undo.arguments)}`;
  return { content: [{ type: "text", text: `${text}${handle}` }], structuredContent: { text, undo } };
}

/** What a tool cannot do is told as its answer, so that a model can mend the call. */
export async function telling(work: () => Promise<CallToolResult>): Promise<CallToolResult> {
  try {
    return await work();
  } catch (error) {
    if (!(error instanceof Refusal)) throw error;
    return { ...said(error.message), isError: true };
  }
}

export const scoped = (apply: string): string => (apply === "this" ? "" : `?scope=${apply}`);
export const keyed = (call_id: string | undefined, part = ""): string | undefined =>
  call_id === undefined ? undefined : `mcp-${call_id}${part}`;
