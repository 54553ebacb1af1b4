import type { Assignment, Broker, PartitionOffset, TopicPartition } from "../../../shared/messages/broker.ts";
import { inboxEntryOf } from "../../../shared/consume/dead-letters/dead-letter.ts";
import { partitionName } from "../../../shared/consume/member/partition-name.ts";
import type { ConsumerWorld } from "../consumer-world.ts";

/**
 * Says when an offset is committed before the fate of every record below it is known, or by who does not own it any
 * more. The commit itself is not held up. `life` counts the database's lives: only what a member commits in the life it
 * joined in is asked about, and not what the inbox `mayForget`.
 */
export function watchCommits(
  world: ConsumerWorld,
  of: Readonly<{ tell: (what: string) => void; life: () => number; mayForget: (id: string) => boolean }>,
): Pick<Broker, "join" | "admin"> {
  // A fate stays once it is there, so only what no commit has passed before is asked for.
  const passed = new Map<string, bigint>();
  const check = async (offsets: readonly PartitionOffset[], life: number) => {
    for (const at of offsets) {
      if (life !== of.life()) return;
      const place = `${life} ${partitionName(at)}`;
      const from = passed.get(place) ?? 0n;
      if (at.offset <= from) continue;
      passed.set(place, at.offset);
      // What a later leader has written stands where other records were when this offset was read.
      const written = world.fake?.recordsOf(at).filter(({ leaderEpoch = 0 }) => leaderEpoch === 0) ?? [];
      const below = written.filter(({ offset }) => offset >= from && offset < at.offset);
      const ids = below.map((record) => inboxEntryOf(record).id).filter((id) => !of.mayForget(id));
      const [row] = await world.db.sql<{ missing: number }[]>`
        select count(*)::int as missing from unnest(${ids}::uuid[]) as id
        where not exists (select from inbox where message_id = id)`;
      if (row?.missing !== 0 && life === of.life())
        of.tell(`${partitionName(at)}@${at.offset}: ${row?.missing} without a fate`);
    }
  };
  return {
    admin: world.broker.admin,
    join: async (options) => {
      let owned = new Set<string>();
      const life = of.life();
      const member = await world.broker.join({
        ...options,
        onAssigned: (assignment: Assignment) => {
          owned = new Set(assignment.partitions.map((at: TopicPartition) => partitionName(at)));
          options.onAssigned(assignment);
        },
      });
      const { commit } = member;
      // The same object, as the broker knows its members by it.
      return Object.assign(member, {
        commit: (offsets: readonly PartitionOffset[]) => {
          for (const at of offsets)
            if (!owned.has(partitionName(at))) of.tell(`${partitionName(at)} committed by who lost it`);
          const committed = commit(offsets);
          committed.catch(() => {});
          return check(offsets, life).then(() => committed);
        },
      });
    },
  };
}
