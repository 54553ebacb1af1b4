import { plugin } from "bun";

/** A fault to be caught: the text of a file of shared/ that is replaced when it is loaded. */
type Fault = Readonly<{
  file: string;
  replace: string;
  by: string;
  and?: Readonly<{ replace: string; by: string }>;
}>;

const root = `${import.meta.dirname}/../..`;

/** Faults of the consumer kernel that its tests must catch. Each takes one rule out. */
export const faults: Readonly<Record<string, Fault>> = {
  "no inbox": {
    file: "consume/handle-batch.ts",
    replace: "const fresh = firstOfEach(real, ids);",
    by: "const fresh = real; void ids; void firstOfEach;",
  },
  "an inbox by time of arrival": {
    file: "consume/inbox.ts",
    replace: "${sorted.map(({ time }) => time.toISOString())}",
    by: "${sorted.map(() => new Date().toISOString())}",
  },
  "no epoch rule": {
    file: "consume/group-epoch.ts",
    replace: "if (rows[0]?.epoch !== epoch)",
    by: "if (rows[0]?.epoch === -1)",
  },
  "commits that are not contiguous": {
    file: "consume/member/offsets.ts",
    replace: "advance(progress);\n          onFinished();\n        },",
    by: "if (offset >= progress.next) progress.next = offset + 1n;\n          onFinished();\n        },",
  },
  "commits of partitions that were lost": {
    file: "consume/member/offsets.ts",
    replace: "owned.delete(partitionName(at));",
    by: "",
  },
  "no lock of parked keys": {
    file: "consume/parking/parked-queue.ts",
    replace: "order by topic, key\n    for update`",
    by: "order by topic, key`",
  },
  "parking outside the transaction": {
    file: "consume/parking/park.ts",
    replace: "if (entered.size === 0) return;",
    by: "if (entered.size === 0) return; await tx`commit and chain`;",
  },
  "queueing outside the transaction": {
    file: "consume/handle-batch.ts",
    replace: '{ from: "done", to: "parked" }, parked);',
    by: '{ from: "done", to: "parked" }, parked); await tx`commit and chain`;',
  },
  "release before the dead letter": {
    file: "consume/parking/work-parked-key.ts",
    replace: 'await changeFate(tx, of.epoch, { from: "parked", to: "dead" }, [inboxEntryOf(record)]);',
    by: `await tx\`delete from parked_messages where id = \${message.row}\`;
      await tx\`delete from parked_keys where epoch = \${of.epoch} and key = \${record.key} and not exists (select from parked_messages m where m.key = parked_keys.key)\`;
      await tx\`commit and chain\`;
      await changeFate(tx, of.epoch, { from: "parked", to: "dead" }, [inboxEntryOf(record)]);`,
  },
  "parked keys asked for before the inbox insert": {
    file: "consume/handle-batch.ts",
    replace: `const [, ids, names] = await Promise.all([
        shareGroup(tx, group, epoch, life()),`,
    by: `const names = await lockParkedKeys(tx, epoch, real);
      const [, ids] = await Promise.all([
        shareGroup(tx, group, epoch, life()),`,
  },
  "a queue read before its lock": {
    file: "consume/parking/work-parked-key.ts",
    replace: `const head = await lockDue(of, tx, key);
      if (head === null) return nothing;`,
    by: `const early = await readQueue(tx, { ...key, epoch: of.epoch, limit: batchSize });
      const head = await lockDue(of, tx, key);
      if (head === null) return nothing;
      const readEarly = async () => early;`,
    and: {
      replace: "const queue = await readQueue(tx, { ...key, epoch: of.epoch, limit: batchSize });",
      by: "const queue = await readEarly();",
    },
  },
  "a message twice in one batch": {
    file: "consume/handle-batch.ts",
    replace: "if (!ids.has(id) || seen.has(id)) return false;",
    by: "if (!ids.has(id)) return false;",
  },
  "an unreadable record settled before those ahead of it": {
    file: "consume/member/work-lane.ts",
    replace: `await handleBatch(readable, began);
        const late = unreadable === null ? null : await readLate(unreadable, began);`,
    by: `const late = unreadable === null ? null : await readLate(unreadable, began);
        await handleBatch(readable, began);`,
  },
  "an outage taken for the message's own failure when the probe answers": {
    file: "consume/failure/classify.ts",
    replace: "isCertain: certain.has(mark)",
    by: "isCertain: mark === certain.toString()",
  },
  "a page of a queue taken for all of it": {
    file: "consume/parking/work-parked-key.ts",
    replace: "worked === queue.length && queue.length < batchSize",
    by: "worked === queue.length",
  },
  "a deadlock counted as a try of a parked message": {
    file: "consume/parking/work-parked-key.ts",
    replace: "isConflict(reason) || ",
    by: "",
  },
  "a parked key taken for the same key of another topic": {
    file: "consume/parking/parked-queue.ts",
    replace: "return `${topic}/${storable(key)}`;",
    by: "void topic; return storable(key);",
  },
  "commits believed that are above the positions of the database": {
    file: "consume/log/positions.ts",
    replace: ".filter(({ next, committed }) => next < committed);",
    by: ".filter(({ next, committed }) => next < committed && next < 0n);",
  },
  "records passed over that retention has deleted unread": {
    file: "consume/log/watch-log.ts",
    replace: `stand(at, "cut_off", { expected, found: record.offset });
        return "standing";`,
    by: `pass(at, record.offset);
        return "passed";`,
  },
  "parked messages forgotten with their week": {
    file: "consume/inbox-retention.ts",
    replace: "from parked_messages where time >=",
    by: "from parked_messages where false and time >=",
  },
  "added partitions that nobody notices": {
    file: "consume/log/examine-log.ts",
    replace: "if (ends.size > (partitions.get(topic) ?? ends.size)) grown.push(topic);",
    by: "",
  },
};

const name = process.env.PLANTED_FAULT;
if (name !== undefined) {
  const fault = faults[name];
  if (fault === undefined) throw new Error(`there is no fault "${name}" to plant`);
  const path = `${root}/shared/${fault.file}`;
  let contents = await Bun.file(path).text();
  for (const { replace, by } of [...(fault.and ? [fault.and] : []), fault]) {
    if (!contents.includes(replace)) throw new Error(`${fault.file} has changed: "${name}" cannot be planted`);
    contents = contents.replace(replace, () => by);
  }
  await plugin({
    name: "planted fault",
    setup: (build) => {
      build.onLoad({ filter: new RegExp(`/shared/${fault.file.replaceAll(/[.-]/g, "\\$&")}$`) }, () => ({
        contents,
        loader: "ts",
      }));
    },
  });
}
