import { topicNames } from "../../../shared/topics.ts";
import { dropHeld } from "../actions/drop-held.ts";
import { listHolds, releaseHolds, type WhichHolds } from "../actions/release-hold.ts";
import { planReplay, replayOutbox, type ReplayRange } from "../actions/replay-outbox.ts";
import { commonOptions, readArgs, readNumber, readVerb, usageError, type Command, type Terminal } from "../command.ts";
import { changeHelp, changeOptions, openOpsDb, readBy, readTimeOption } from "../open-tools.ts";
import { printTable } from "../print-table.ts";
import { readOutbox } from "../read-outbox.ts";

const options = {
  ...commonOptions,
  ...changeOptions,
  topic: { type: "string", multiple: true },
  key: { type: "string" },
  id: { type: "string", multiple: true },
  all: { type: "boolean", default: false },
  from: { type: "string" },
  to: { type: "string" },
  rate: { type: "string", default: "500" },
  resume: { type: "string" },
} as const;

export const outboxCommand: Command = {
  summary: "what waits to be published; releases, drops and replays messages",
  help: `ops outbox [ls|release|drop|replay] [--json]

  ls        one line per shard: the relay that publishes it, what waits and since when; below, the keys held back because
            the broker refused one of their messages for good (the default)
  release   --topic T --key K | --topic T | --all     lets held keys go on, in their order
  drop      --topic T --key K  --id N… | --all        gives up messages of a held key; their bytes stay in the audit
  replay    --from TIME [--to TIME] --topic T… [--key K] [--rate 500]
            publishes once more what was published since then: same ids, same bytes; consumers drop what they know.
            Waits while live messages wait. --resume ID goes on with one that was cut off.

${changeHelp}
  TIME is RFC 3339 or an age: 30m, 2h, 3d`,
  run: async (args, terminal) => {
    const { values, positionals } = readArgs(args, options);
    const verb = readVerb(positionals, ["ls", "release", "drop", "replay"]);
    return await { ls: list, release, drop, replay }[verb](values, terminal);
  },
};

type Values = ReturnType<typeof readArgs<typeof options>>["values"];

async function list({ json }: Values, terminal: Terminal): Promise<number> {
  const { print } = terminal;
  await using db = await openOpsDb(terminal);
  const [state, holds] = [await readOutbox(db.sql), await listHolds(db.sql)];
  if (json) {
    print(JSON.stringify({ ...state, holds }));
    return 0;
  }
  const rows = state.shards.map((shard) => [shard.shard, shard.owner, shard.epoch, shard.waiting, shard.oldestSeconds]);
  print(printTable(["SHARD", "RELAY", "EPOCH", "WAITING", "SECONDS"], rows));
  print(`\n${state.waiting} waiting, the oldest for ${state.oldestSeconds} s`);
  if (holds.length > 0) print(`\nheld back:\n${holdTable(holds)}\n\n\`ops outbox release\` or \`drop\` ends it`);
  return 0;
}

async function release(values: Values, terminal: Terminal): Promise<number> {
  const which = whichHolds(values);
  await using db = await openOpsDb(terminal);
  const dryRun = values["dry-run"];
  const { auditId, holds } = await releaseHolds(db, which, { by: readBy(values, terminal.env), dryRun });
  if (values.json) terminal.print(JSON.stringify({ dryRun, auditId, holds }));
  else
    terminal.print(
      holds.length === 0 ? "nothing is held" : `${dryRun ? "would release" : "released"}\n${holdTable(holds)}`,
    );
  return 0;
}

async function drop(values: Values, terminal: Terminal): Promise<number> {
  const { topic, key } = whichHolds({ ...values, all: false });
  if (topic === null || key === null) throw usageError("say --topic and --key");
  if ((values.id === undefined) !== values.all) throw usageError("say which: --id N (several may be given) or --all");
  for (const id of values.id ?? []) readNumber("id", id);
  await using db = await openOpsDb(terminal);
  const dryRun = values["dry-run"];
  const change = { by: readBy(values, terminal.env), dryRun };
  const { auditId, messages } = await dropHeld(db, { topic, key, ids: values.id ?? null }, change);
  if (values.json) terminal.print(JSON.stringify({ dryRun, auditId, messages }));
  else {
    const rows = messages.map((message) => [
      message.id,
      message.type,
      message.subject,
      message.createdAt.toISOString(),
      message.bytes,
    ]);
    terminal.print(dryRun ? "would drop" : `dropped; they are kept in the audit as ${auditId}`);
    terminal.print(printTable(["ID", "TYPE", "SUBJECT", "WRITTEN", "BYTES"], rows));
    if (!dryRun) terminal.print(`the key is still held: \`ops outbox release --topic ${topic} --key ${key}\``);
  }
  return 0;
}

async function replay(values: Values, terminal: Terminal): Promise<number> {
  const range = values.resume === undefined ? replayRange(values, terminal.now()) : null;
  const ratePerSecond = readNumber("rate", values.rate);
  if (ratePerSecond < 1) throw usageError("--rate must be 1 or more");
  await using db = await openOpsDb(terminal);
  const { print } = terminal;
  if (range !== null) {
    const plan = await planReplay(db.sql, range);
    if (values["dry-run"] || plan.messages === 0) {
      if (values.json) print(JSON.stringify({ dryRun: values["dry-run"], plan }));
      else print(describePlan(plan));
      return 0;
    }
  } else if (values["dry-run"]) throw usageError("--resume goes on with a plan that is made already");
  const id = values.resume ?? Bun.randomUUIDv7();
  const done = await replayOutbox(db, {
    id,
    range,
    by: readBy(values, terminal.env),
    pace: {
      ratePerSecond,
      signal: new AbortController().signal,
      onWait: (why) => terminal.log.warn("replay_waits", { why }),
    },
  });
  print(values.json ? JSON.stringify({ dryRun: false, ...done }) : `${done.messages} messages replayed as ${id}`);
  return 0;
}

function replayRange(values: Values, now: Date): ReplayRange {
  const from = readTimeOption("from", values.from, now);
  if (from === null) throw usageError("say --from");
  const wanted = values.topic ?? [];
  const topics = topicNames.filter((name) => wanted.includes(name));
  const strange = wanted.find((name) => !topicNames.some((topic) => topic === name));
  if (strange !== undefined || topics.length === 0)
    throw usageError(
      `${strange === undefined ? "say --topic" : `there is no topic "${strange}"`}: ${topicNames.join(", ")}`,
    );
  return { from, to: readTimeOption("to", values.to, now) ?? now, topics, key: values.key ?? null };
}

function describePlan(plan: Awaited<ReturnType<typeof planReplay>>): string {
  const kept =
    plan.keptSince === null ? "the outbox is empty" : `the outbox goes back to ${plan.keptSince.toISOString()}`;
  if (plan.messages === 0) return `nothing was published there; ${kept}`;
  const rows = plan.byTopic.map((row) => [row.topic, row.messages, row.oldest.toISOString(), row.newest.toISOString()]);
  const table = printTable(["TOPIC", "MESSAGES", "OLDEST", "NEWEST"], rows);
  return `would replay ${plan.messages} messages, ${plan.bytes} bytes\n${table}\n${kept}`;
}

function whichHolds({ topic = [], key, all }: Pick<Values, "topic" | "key" | "all">): WhichHolds {
  if (topic.length > 1) throw usageError("one --topic at a time");
  const [name = null] = topic;
  if (key !== undefined && name === null) throw usageError("--key goes with --topic");
  if (name === null && !all) throw usageError("say which: --topic T --key K, --topic T, or --all");
  return { topic: name, key: key ?? null };
}

function holdTable(holds: Awaited<ReturnType<typeof listHolds>>): string {
  const rows = holds.map(({ topic, key, since, waiting, reason }) => [
    topic,
    key,
    since.toISOString(),
    waiting,
    reason,
  ]);
  return printTable(["TOPIC", "KEY", "SINCE", "WAITING", "REASON"], rows);
}
