import { parseStreamCursor } from "./stream-cursor.ts";
import type { ResetReason } from "./reset-reasons.ts";

/** How a client goes on: with what comes now, from memory, from the log, or by reading everything again. */
export type Resume =
  | Readonly<{ from: "now" }>
  | Readonly<{ from: "ring" | "log" | "later"; after: bigint }>
  | Readonly<{ from: "reset"; reason: ResetReason }>;

export type ResumeFacts = Readonly<{
  /** What the client said it saw last; `null` when it said nothing. */
  cursor: string | null;
  epoch: string;
  /** The partition of the user. */
  partition: number;
  /** What memory covers: from `ringStart` to before `ringNext`. */
  ringStart: bigint;
  ringNext: bigint;
  /** The most records read from the log for one client. */
  maxReplay: bigint;
  /** What the broker has, asked only when memory cannot tell: the oldest offset, and the one written next. */
  log: () => Promise<Readonly<{ start: bigint; end: bigint }>>;
}>;

/** Decides by the cursor alone; `later` means this instance has not read that far yet and the client waits with it. */
export async function decideResume(facts: ResumeFacts): Promise<Resume> {
  if (facts.cursor === null) return { from: "now" };
  const cursor = parseStreamCursor(facts.cursor);
  if (cursor === null) return { from: "reset", reason: "unreadable" };
  if (cursor.epoch !== facts.epoch) return { from: "reset", reason: "epoch" };
  if (cursor.partition !== facts.partition) return { from: "reset", reason: "foreign" };
  const { offset: after } = cursor;
  if (after < facts.ringNext && after + 1n >= facts.ringStart) return { from: "ring", after };
  if (after < facts.ringNext && after + 1n < facts.ringNext - facts.maxReplay)
    return { from: "reset", reason: "too-old" };
  const { start, end } = await facts.log();
  if (after >= facts.ringNext) return after < end ? { from: "later", after } : { from: "reset", reason: "beyond-end" };
  return after + 1n >= start ? { from: "log", after } : { from: "reset", reason: "too-old" };
}
