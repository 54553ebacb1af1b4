import { plugin } from "bun";

/** A fault to be caught: the text of a file of shared/ that is replaced when it is loaded. */
export type Fault = Readonly<{
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
    replace: "const fresh = firstOfEach(messages, ids);",
    by: "const fresh = messages; void ids; void firstOfEach;",
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
    file: "consume/offsets.ts",
    replace: "while (progress.finished.delete(progress.next)) progress.next += 1n;",
    by: "if (offset >= progress.next) progress.next = offset + 1n;",
  },
  "commits of partitions that were lost": {
    file: "consume/offsets.ts",
    replace: "owned.delete(partitionName(at));",
    by: "",
  },
  "no lock of parked keys": {
    file: "consume/parked-queue.ts",
    replace: "order by topic, key\n    for update`",
    by: "order by topic, key`",
  },
  "parking outside the transaction": {
    file: "consume/park.ts",
    replace: "if (entered.size === 0) return;",
    by: "if (entered.size === 0) return; await tx`commit and chain`;",
  },
  "queueing outside the transaction": {
    file: "consume/handle-batch.ts",
    replace: '{ from: "done", to: "parked" }, parked);',
    by: '{ from: "done", to: "parked" }, parked); await tx`commit and chain`;',
  },
  "release before the dead letter": {
    file: "consume/work-parked-key.ts",
    replace: 'await changeFate(tx, of.epoch, { from: "parked", to: "dead" }, [inboxEntryOf(record)]);',
    by: `await tx\`delete from parked_messages where id = \${message.row}\`;
      await tx\`delete from parked_keys where epoch = \${of.epoch} and key = \${record.key} and not exists (select from parked_messages m where m.key = parked_keys.key)\`;
      await tx\`commit and chain\`;
      await changeFate(tx, of.epoch, { from: "parked", to: "dead" }, [inboxEntryOf(record)]);`,
  },
  "parked keys asked for before the inbox insert": {
    file: "consume/handle-batch.ts",
    replace: `const [, ids, names] = await Promise.all([
        shareGroup(tx, group, epoch),`,
    by: `const names = await lockParkedKeys(tx, epoch, messages);
      const [, ids] = await Promise.all([
        shareGroup(tx, group, epoch),`,
  },
  "a queue read before its lock": {
    file: "consume/work-parked-key.ts",
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
