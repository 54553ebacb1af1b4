import type {
  Assignment,
  Broker,
  FetchedRecord,
  JoinOptions,
  Member,
  OutgoingRecord,
  Commit,
  SendError,
  TailAnswer,
  TailOptions,
  TopicPartition,
  TopicState,
} from "../../shared/messages/broker.ts";
import { partitionOf } from "../../shared/kafka/partition.ts";

/**
 * How the fake misbehaves, as the real client was measured to. `random` decides when; a seeded one makes a run
 * repeatable. Every chance is from 0 to 1.
 */
export type Misbehaviour = Readonly<{
  random: () => number;
  /** What a member had in its buffer is delivered after a rebalance too, under the generation it was fetched in. */
  staleBuffers: boolean;
  /** A kept partition is read again from its commit after a rebalance: offsets go back. */
  rewinds: number;
  /** A fetch answered after a rebalance carries the new generation. */
  lateFetches: number;
  /** A commit is applied only later, perhaps after the member has lost the partition. */
  lateCommits: number;
  /** A commit is not answered: it rejects after `commitMs`, and was not made. */
  hangingCommits: number;
  /** Up to so long, records wait in the buffer before they are delivered: through two rebalances, perhaps. */
  deliveryMs: number;
  /** The member is told its stream failed. */
  failures: number;
  commitMs: number;
  /** A record is in the log twice, as after a relay's second send. */
  duplicates: number;
  /** Records per fetch and partition. */
  fetchSize: number;
}>;

const wellBehaved: Misbehaviour = {
  random: () => 0.5,
  staleBuffers: false,
  rewinds: 0,
  lateFetches: 0,
  lateCommits: 0,
  hangingCommits: 0,
  deliveryMs: 0,
  failures: 0,
  commitMs: 50,
  duplicates: 0,
  fetchSize: 100,
};

type Stored = Omit<FetchedRecord, "generation" | "topic">;
/** `epoch` is that of its leader: one more after each unclean election. */
type Log = { start: bigint; end: bigint; epoch: number; records: Stored[] };
/** `id` is another one for a topic that is made again. */
type Topic = { id: string; state: TopicState; logs: Log[] };
type FakeMember = {
  id: number;
  options: JoinOptions;
  generation: number;
  position: Map<string, bigint>;
  buffer: FetchedRecord[];
  wake: () => void;
  gone: boolean;
};
type Group = {
  name: string;
  generation: number;
  members: FakeMember[];
  committed: Map<string, Commit>;
  rebalancing: boolean;
};

export type FakeBroker = Broker &
  Readonly<{
    /** Deletes what is below `offset`, as retention does. */
    truncate: (at: TopicPartition, offset: bigint) => void;
    /** Takes one record out of a log for good: a hole, as compaction leaves. */
    tearOut: (at: TopicPartition, offset: bigint) => void;
    /** Writes what only brokers read: a transaction marker. */
    mark: (at: TopicPartition) => void;
    /** Loses all from `offset` on, as an unclean leader election does; what is sent next takes these offsets again. */
    cutOff: (at: TopicPartition, offset: bigint) => void;
    /** From now on no client is given the record at this offset, though the log has it. */
    withhold: (at: TopicPartition, offset: bigint) => void;
    addPartitions: (topic: string, count: number) => void;
    /** Everything in a log, oldest first. */
    recordsOf: (at: TopicPartition) => readonly FetchedRecord[];
    /** While true nothing can be sent, fetched, committed or asked. */
    setDown: (down: boolean) => void;
    misbehave: (how: Partial<Misbehaviour>) => void;
    members: (group: string) => number;
    /**
     * The group goes on without a member, which is told nothing. A `zombie` still delivers what it has in its buffer;
     * one that is not a zombie was killed.
     */
    lose: (member: Member, how: "killed" | "zombie") => void;
    /** Every member becomes a zombie. */
    loseAll: (group: string) => void;
  }>;

const nameOf = ({ topic, partition }: TopicPartition) => `${topic}/${partition}`;
const maxRecordBytes = 1_048_576;

/**
 * Kafka in memory: partitioned logs, groups that rebalance, members with buffers. Trusted as it passes the port's
 * contract suite.
 */
export function makeFakeBroker(how: Partial<Misbehaviour> = {}): FakeBroker {
  let conduct: Misbehaviour = { ...wellBehaved, ...how };
  const topics = new Map<string, Topic>();
  const groups = new Map<string, Group>();
  const readers = new Set<() => void>();
  const lost = new WeakMap<Member, (killed: boolean) => void>();
  let down = false;
  let nextMember = 1;
  const chance = (of: number) => of > 0 && conduct.random() < of;

  const logOf = (at: TopicPartition): Log => {
    const log = topics.get(at.topic)?.logs[at.partition];
    if (log === undefined) throw new Error(`there is no partition ${nameOf(at)}`);
    return log;
  };
  const withheld = new Set<string>();
  const emptyLog = (): Log => ({ start: 0n, end: 0n, epoch: 0, records: [] });
  const assertUp = () => {
    if (down) throw Object.assign(new Error("the broker is down"), { code: "ECONNREFUSED" });
  };
  const readFrom = (at: TopicPartition, offset: bigint, limit: number, generation: number): FetchedRecord[] =>
    logOf(at)
      .records.filter((record) => record.offset >= offset)
      .slice(0, limit)
      .map((record) => ({ ...record, topic: at.topic, generation }));

  const send = async (records: readonly OutgoingRecord[]) => {
    await Promise.resolve();
    if (down) throw sendError("unreachable");
    if (records.some(({ topic }) => !topics.has(topic))) throw sendError("unreachable");
    if (records.some(({ value }) => (value?.length ?? 0) > maxRecordBytes)) throw sendError("refused");
    if (records.some(({ timestamp }) => timestamp > Date.now() + 3_600_000)) throw sendError("unreachable");
    for (const { topic, timestamp, key, value, headers } of records) {
      const { logs } = topics.get(topic) ?? { logs: [] };
      const partition = key === null ? 0 : partitionOf(key, logs.length);
      const log = logOf({ topic, partition });
      const { epoch: leaderEpoch } = log;
      const record = { partition, timestamp, key, value, headers, leaderEpoch };
      log.records.push({ ...record, offset: log.end++ });
      if (chance(conduct.duplicates)) log.records.push({ ...record, offset: log.end++ });
    }
    for (const wake of readers) wake();
  };

  // Groups
  // ---------------------------------------------------------------------------------------------------------------

  const owned = (group: Group, member: FakeMember): readonly TopicPartition[] => {
    const all = member.options.topics.flatMap((topic) =>
      (topics.get(topic)?.logs ?? []).map((_, partition) => ({ topic, partition })),
    );
    const place = group.members.indexOf(member);
    return all.filter((_, n) => n % group.members.length === place);
  };

  const rebalance = (group: Group) => {
    if (group.rebalancing) return;
    group.rebalancing = true;
    for (const member of group.members) if (member.generation > 0) member.options.onRebalancing();
    setTimeout(() => {
      group.rebalancing = false;
      group.generation += 1;
      for (const member of group.members) assign(group, member);
    }, 2);
  };

  const assign = (group: Group, member: FakeMember) => {
    const partitions = owned(group, member).map((at) => {
      const { start, end } = logOf(at);
      const { offset: committed, ...commit } = group.committed.get(nameOf(at)) ?? { ...at, offset: start };
      return { ...commit, committed, start, end, topicId: topics.get(at.topic)?.id ?? "" };
    });
    const before = member.position;
    member.generation = group.generation;
    member.position = new Map(
      partitions.map((at) => {
        const kept = before.get(nameOf(at));
        // What was in a buffer that is thrown away must be fetched again.
        const again = kept === undefined || !conduct.staleBuffers || chance(conduct.rewinds);
        return [nameOf(at), again ? at.committed : kept];
      }),
    );
    if (!conduct.staleBuffers) member.buffer = [];
    const assignment: Assignment = { generation: group.generation, partitions };
    member.options.onAssigned(assignment);
    member.wake();
  };

  const fill = async (member: FakeMember) => {
    for (const [name, position] of member.position) {
      if (member.buffer.length >= conduct.fetchSize * 4) return;
      const at = parse(name);
      const generation = member.generation;
      const log = logOf(at);
      // A client told that its offset is out of range goes on at the log's start.
      const from = position < log.start || position > log.end ? log.start : position;
      const records = readFrom(at, from, conduct.fetchSize, generation).filter(
        ({ offset }) => !withheld.has(`${name}@${offset}`),
      );
      if (chance(conduct.lateFetches)) {
        await Bun.sleep(conduct.random() * 8);
        if (member.gone) return;
        const still = member.position.get(name);
        member.buffer.push(...records.map((record) => ({ ...record, generation: member.generation })));
        if (still === position && records.length > 0)
          member.position.set(name, (records.at(-1)?.offset ?? position) + 1n);
        continue;
      }
      if (records.length === 0) continue;
      member.buffer.push(...records);
      member.position.set(name, (records.at(-1)?.offset ?? position) + 1n);
    }
  };

  const run = async (group: Group, member: FakeMember) => {
    const wake = () => member.wake();
    readers.add(wake);
    while (!member.gone) {
      const waited = new Promise<void>((resolve) => (member.wake = resolve));
      if (down) {
        member.options.onFailed(new Error("the broker went away"));
        break;
      }
      if (chance(conduct.failures)) {
        member.options.onFailed(new Error("fetch failed 6 times"));
        break;
      }
      if (member.generation > 0 && !group.rebalancing) await fill(member);
      if (conduct.deliveryMs > 0 && member.buffer.length > 0) await Bun.sleep(conduct.random() * conduct.deliveryMs);
      const records = member.buffer.splice(0, 1 + Math.floor(conduct.random() * conduct.fetchSize));
      if (records.length > 0) await member.options.onRecords(records);
      else await waited;
    }
    readers.delete(wake);
  };

  const commit = async (group: Group, member: FakeMember, offsets: readonly Commit[]) => {
    const generation = member.generation;
    const apply = () => {
      for (const at of offsets) group.committed.set(nameOf(at), at);
    };
    const refuse = () => {
      if (!group.members.includes(member)) throw new Error("UNKNOWN_MEMBER_ID");
      if (generation !== group.generation && !group.rebalancing) throw new Error("ILLEGAL_GENERATION");
    };
    assertUp();
    refuse();
    if (chance(conduct.hangingCommits)) {
      await Bun.sleep(conduct.commitMs);
      throw new Error("committing offsets: no answer");
    }
    if (chance(conduct.lateCommits)) {
      await Bun.sleep(conduct.random() * 10);
      return apply();
    }
    apply();
  };

  const join = async (options: JoinOptions): Promise<Member> => {
    await Promise.resolve();
    assertUp();
    for (const topic of options.topics) if (!topics.has(topic)) throw new Error(`there is no topic ${topic}`);
    const group = groups.get(options.group) ?? makeGroup(options.group);
    groups.set(group.name, group);
    const member: FakeMember = {
      id: nextMember++,
      options,
      generation: 0,
      position: new Map(),
      buffer: [],
      wake: () => {},
      gone: false,
    };
    group.members.push(member);
    rebalance(group);
    void run(group, member);
    const joined: Member = {
      commit: (offsets) => commit(group, member, offsets),
      isActive: () => group.members.includes(member) && !group.rebalancing && !down,
      [Symbol.asyncDispose]: async () => {
        if (member.gone) return;
        member.gone = true;
        member.wake();
        group.members = group.members.filter((one) => one !== member);
        if (group.members.length > 0) rebalance(group);
        await Promise.resolve();
      },
    };
    lost.set(joined, (killed) => lose(group, member, killed));
    return joined;
  };

  const lose = (group: Group, member: FakeMember, killed: boolean) => {
    if (killed) {
      member.gone = true;
      member.wake();
    }
    if (!group.members.includes(member)) return;
    group.members = group.members.filter((one) => one !== member);
    if (group.members.length > 0) rebalance(group);
  };

  // Tail and administration
  // ----------------------------------------------------------------------------------------------

  async function* tail({ topic, from, grows = false, signal }: TailOptions): AsyncGenerator<TailAnswer> {
    const next = new Map(from);
    const id = topics.get(topic)?.id;
    let answered = "";
    let wake = () => {};
    const awake = () => wake();
    readers.add(awake);
    signal.addEventListener("abort", awake);
    try {
      while (!signal.aborted) {
        const waited = new Promise<void>((resolve) => (wake = resolve));
        const { logs, id: idNow } = topics.get(topic) ?? { logs: [], id };
        if (idNow !== id) throw Object.assign(new Error(`${topic} was made anew`), { code: "OFFSET_OUT_OF_RANGE" });
        if (grows) for (const partition of logs.keys()) if (!next.has(partition)) next.set(partition, 0n);
        const found = [...next].flatMap(([partition, offset]) => {
          const log = logOf({ topic, partition });
          if (offset < log.start || offset > log.end)
            throw Object.assign(new Error(`offset ${offset} is not in the log`), { code: "OFFSET_OUT_OF_RANGE" });
          return readFrom({ topic, partition }, offset, conduct.fetchSize, 0);
        });
        if (down) {
          await waited;
          continue;
        }
        for (const [partition, offset] of next) {
          const records = found.filter((record) => record.partition === partition);
          const isAll = records.length < conduct.fetchSize;
          next.set(partition, isAll ? logOf({ topic, partition }).end : (records.at(-1)?.offset ?? offset) + 1n);
        }
        const now = [...next].join();
        if (now === answered) await waited;
        else yield { records: found, next: new Map(next), partitions: next.size };
        answered = now;
      }
    } finally {
      readers.delete(awake);
    }
  }

  const answered = async <T>(of: () => T): Promise<T> => {
    await Promise.resolve();
    assertUp();
    return of();
  };

  const grow = (name: string, count: number): void => {
    const topic = topics.get(name);
    if (topic === undefined) throw new Error(`there is no topic ${name}`);
    if (count <= topic.logs.length) return;
    topic.logs.push(...Array.from({ length: count - topic.logs.length }, emptyLog));
    topic.state = { ...topic.state, partitions: count };
    for (const wake of readers) wake();
  };

  return {
    producer: () => answered(() => ({ send, [Symbol.asyncDispose]: () => Promise.resolve() })),
    join,
    tail,
    admin: {
      topics: () => answered(() => [...topics.values()].map(({ state }) => state)),
      createTopic: (state) =>
        answered(() => {
          if (topics.has(state.name)) return;
          const logs = Array.from({ length: state.partitions }, emptyLog);
          topics.set(state.name, { id: crypto.randomUUID(), state, logs });
        }),
      addPartitions: (topic, partitions) => answered(() => grow(topic, partitions)),
      alterConfigs: (topic, configs) =>
        answered(() => {
          const found = topics.get(topic);
          if (found === undefined) throw new Error(`there is no topic ${topic}`);
          found.state = { ...found.state, configs: { ...found.state.configs, ...configs } };
        }),
      offsets: (topic, at) =>
        answered(() => {
          const found = topics.get(topic);
          if (found === undefined) throw new Error(`there is no topic ${topic}`);
          return new Map(found.logs.map((log, partition) => [partition, at === "start" ? log.start : log.end]));
        }),
      topicId: (topic) =>
        answered(() => {
          const found = topics.get(topic);
          if (found === undefined) throw new Error(`there is no topic ${topic}`);
          return found.id;
        }),
      committed: (group) => answered(() => [...(groups.get(group)?.committed.values() ?? [])]),
      setOffsets: (name, offsets) =>
        answered(() => {
          const group = groups.get(name) ?? makeGroup(name);
          if (group.members.length > 0) throw new Error("NON_EMPTY_GROUP");
          for (const { topic, partition, offset } of offsets)
            group.committed.set(nameOf({ topic, partition }), { topic, partition, offset });
          groups.set(name, group);
        }),
      groups: () =>
        answered(() =>
          [...groups.values()].map(({ name, members, rebalancing }) => ({
            name,
            state: members.length === 0 ? "Empty" : rebalancing ? "PreparingRebalance" : "Stable",
            members: members.length,
          })),
        ),
      nextRecord: ({ topic, partition, offset }) =>
        answered(() => {
          const log = logOf({ topic, partition });
          if (offset < log.start || offset > log.end)
            throw Object.assign(new Error(`offset ${offset} is not in the log`), { code: "OFFSET_OUT_OF_RANGE" });
          return log.records.find((record) => record.offset >= offset)?.offset ?? log.end;
        }),
      read: (topic, at) =>
        answered(() => {
          if ([...at].some(([partition, offset]) => offset < logOf({ topic, partition }).start))
            throw new Error("OFFSET_OUT_OF_RANGE");
          return [...at].flatMap(([partition, offset]) => readFrom({ topic, partition }, offset, 1, 0));
        }),
      deleteTopic: (topic) =>
        answered(() => {
          topics.delete(topic);
          for (const { members, committed } of groups.values()) {
            for (const [name, at] of committed) if (at.topic === topic) committed.delete(name);
            // A client fetches by the topic's id, which nobody knows any more.
            for (const member of members.filter(({ options }) => options.topics.includes(topic))) {
              member.position = new Map();
              member.options.onFailed(new Error("UNKNOWN_TOPIC_ID"));
            }
          }
        }),
      deleteGroup: (group) =>
        answered(() => {
          if ((groups.get(group)?.members.length ?? 0) > 0) throw new Error("NON_EMPTY_GROUP");
          groups.delete(group);
        }),
    },
    truncate: (at, offset) => {
      const log = logOf(at);
      log.records = log.records.filter((record) => record.offset >= offset);
      log.start = offset;
      if (log.end < offset) log.end = offset;
    },
    tearOut: (at, offset) => {
      const log = logOf(at);
      log.records = log.records.filter((record) => record.offset !== offset);
    },
    mark: (at) => {
      logOf(at).end += 1n;
      for (const wake of readers) wake();
    },
    cutOff: (at, offset) => {
      const log = logOf(at);
      log.records = log.records.filter((record) => record.offset < offset);
      log.end = offset;
      log.epoch += 1;
    },
    withhold: (at, offset) => void withheld.add(`${nameOf(at)}@${offset}`),
    addPartitions: grow,
    recordsOf: (at) => readFrom(at, 0n, Number.POSITIVE_INFINITY, 0),
    setDown: (now) => {
      down = now;
      for (const wake of readers) wake();
    },
    misbehave: (more) => {
      conduct = { ...conduct, ...more };
    },
    members: (group) => groups.get(group)?.members.length ?? 0,
    lose: (member, how) => lost.get(member)?.(how === "killed"),
    loseAll: (name) => {
      const group = groups.get(name);
      for (const member of group?.members ?? []) if (group) lose(group, member, false);
    },
    [Symbol.asyncDispose]: async () => {
      for (const group of groups.values())
        for (const member of group.members) {
          member.gone = true;
          member.wake();
        }
      await Promise.resolve();
    },
  };
}

function makeGroup(name: string): Group {
  return { name, generation: 0, members: [], committed: new Map(), rebalancing: false };
}

function parse(name: string): TopicPartition {
  const at = name.lastIndexOf("/");
  return { topic: name.slice(0, at), partition: Number(name.slice(at + 1)) };
}

function sendError(failure: "refused" | "unreachable"): SendError {
  return Object.assign(new Error(`the broker did not take the records (${failure})`), { failure });
}
