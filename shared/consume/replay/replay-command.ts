import { z } from "zod";
import { runOpsScript, type OpsScriptContext } from "../../role/ops-script.ts";
import type { GroupName } from "../../messages/topics.ts";
import type { BatchHandler } from "../handler.ts";
import { rehearse } from "./rehearse.ts";

/**
 * What `ops replay` hands to the process of a group: by topic and partition the first offset, and how many messages at
 * most.
 */
const replayRequest = z.strictObject({
  from: z.record(z.string(), z.record(z.string().regex(/^\d+$/), z.string().regex(/^\d+$/))),
  limit: z.number().int().min(1),
});
export type ReplayRequest = z.infer<typeof replayRequest>;

/** The whole of `workers/<group>/replay.ts`: prints what the group would do. */
export async function replayCommand(
  group: GroupName,
  makeHandler: (of: Pick<OpsScriptContext, "env" | "log" | "now">) => BatchHandler,
): Promise<void> {
  await runOpsScript(group, (context) => {
    const { from, limit } = replayRequest.parse(JSON.parse(context.argv[2] ?? "{}"));
    const offsets = Object.entries(from).map(([topic, places]) => {
      const of = Object.entries(places).map(([partition, offset]) => [Number(partition), BigInt(offset)] as const);
      return [topic, new Map(of)] as const;
    });
    return rehearse({ ...context, group, handle: makeHandler(context), from: new Map(offsets), limit });
  });
}
