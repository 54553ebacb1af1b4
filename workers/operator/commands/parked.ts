import { listParked, type ParkedFilter, type ParkedKey } from "../actions/list-parked.ts";
import { changeParked, type ParkedVerb } from "../actions/parked.ts";
import { commonOptions, readArgs, readNumber, readVerb, usageError, type Command } from "../command.ts";
import { changeHelp, changeOptions, openOpsDb, readBy } from "../open-tools.ts";
import { printTable } from "../print-table.ts";
import { readGroup } from "../read-group.ts";

export const parkedCommand: Command = {
  summary: "keys that wait behind a failure: retry now, skip the head, release all",
  help: `ops parked [ls|retry|skip|release] [--json]

  ls        one line per key: what its head failed with, how often it was tried, when it is next (the default)
  retry     --group G --topic T --key K    tries the head of a key now
  skip      --group G --topic T --key K    the head becomes a dead letter; what waits behind it goes on
  release   --group G or any other filter  tries the heads of all keys that fit now, as after a fix

  Filters of ls and release: --group G --topic T --key K --fingerprint F; --limit N for ls, 100 unless told
${changeHelp}`,
  run: async (args, terminal) => {
    const { values, positionals } = readArgs(args, {
      ...commonOptions,
      ...changeOptions,
      group: { type: "string" },
      topic: { type: "string" },
      key: { type: "string" },
      fingerprint: { type: "string" },
      limit: { type: "string", default: "100" },
    });
    const verb = readVerb(positionals, ["ls", "retry", "skip", "release"]);
    const limit = readNumber("limit", values.limit);
    const filter: ParkedFilter = {
      group: values.group === undefined ? null : readGroup(values.group),
      topic: values.topic ?? null,
      key: values.key ?? null,
      fingerprint: values.fingerprint ?? null,
    };
    const one = verb === "retry" || verb === "skip";
    if (one && (filter.group === null || filter.topic === null || filter.key === null))
      throw usageError("say --group, --topic and --key");
    if (verb === "release" && Object.values(filter).every((part) => part === null))
      throw usageError("say which, by a filter: --group G is all of a group");
    await using db = await openOpsDb(terminal);
    if (verb === "ls") {
      const parked = await listParked(db.sql, filter, limit);
      terminal.print(
        values.json ? JSON.stringify({ parked }) : parked.length === 0 ? "no key is parked" : keyTable(parked),
      );
      return 0;
    }
    const dryRun = values["dry-run"];
    const changed = await changeParked(db, { verb, filter }, { by: readBy(values, terminal.env), dryRun });
    if (values.json) terminal.print(JSON.stringify({ dryRun, ...changed }));
    else if (dryRun) terminal.print(`would ${verb}\n${keyTable(changed.keys)}`);
    else terminal.print(said(verb, changed.done, changed.skipped));
    return 0;
  },
};

function said(verb: ParkedVerb, done: number, skipped: readonly string[]): string {
  if (verb === "skip")
    return skipped.length === 0 ? "nothing was left to skip" : `skipped ${skipped.join(", ")}: now a dead letter`;
  return `${done} ${done === 1 ? "key is" : "keys are"} tried now`;
}

function keyTable(keys: readonly ParkedKey[]): string {
  const rows = keys.map((key) => [
    key.group,
    key.topic,
    `${key.partition}/${key.headOffset ?? "-"}`,
    key.key,
    key.messages,
    key.attempts,
    key.since.toISOString(),
    key.nextAt.toISOString(),
    key.class,
    (key.error.split("\n")[0] ?? "").slice(0, 80),
  ]);
  return printTable(
    ["GROUP", "TOPIC", "POSITION", "KEY", "MESSAGES", "TRIES", "SINCE", "NEXT", "CLASS", "ERROR"],
    rows,
  );
}
