import type { FetchedRecord, TopicPartition } from "../../../shared/messages/broker.ts";
import { inboxEntryOf } from "../../../shared/consume/dead-letters/dead-letter.ts";
import { partitionName } from "../../../shared/consume/member/partition-name.ts";
import type { ConsumerWorld } from "../consumer-world.ts";

/** What a log lost: `start` is retention that deletes before everybody has read, `end` an unclean election. */
export type Loss = Readonly<{
  at: TopicPartition;
  side: "start" | "end";
  /** The messages that are in the log no more, by id. */
  gone: ReadonlySet<string>;
  /** Those it had beforehand, oldest first. */
  before: readonly string[];
}>;

const idOf = (record: FetchedRecord) => inboxEntryOf(record).id;

/** Deletes what one log has up to within its last records, as far as `random` says; null where it is too short. */
export function loseStart(world: ConsumerWorld, at: TopicPartition, random: () => number): Loss | null {
  return lose(world, { at, side: "start", count: 1 + Math.floor(random() * 4) });
}

/** Cuts the last one to three records off; what is sent next takes their offsets. */
export function loseEnd(world: ConsumerWorld, at: TopicPartition, random: () => number): Loss | null {
  return lose(world, { at, side: "end", count: 1 + Math.floor(random() * 3) });
}

/** `count`: how many records are kept at the end, or lost there. */
function lose(
  { fake }: ConsumerWorld,
  { at, side, count }: Readonly<{ at: TopicPartition; side: Loss["side"]; count: number }>,
): Loss | null {
  const records = fake?.recordsOf(at) ?? [];
  const from = records.at(-count)?.offset;
  if (from === undefined) return null;
  if (side === "start") fake?.truncate(at, from);
  else fake?.cutOff(at, from);
  const left = new Set((fake?.recordsOf(at) ?? []).map(idOf));
  const before = [...new Set(records.map(idOf))];
  return { at, side, before, gone: new Set(before.filter((id) => !left.has(id))) };
}

/** Whether a member that lives says of itself that it stands there. */
export function isStanding(notes: readonly string[], at: TopicPartition): boolean {
  return notes.some((note) => note.split(/[ ,:]+/).includes(partitionName(at)));
}
