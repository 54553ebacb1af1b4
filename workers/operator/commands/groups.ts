import { listGroups } from "../actions/list-groups.ts";
import type { GroupState } from "../actions/describe-groups.ts";
import { commonOptions, readArgs, readVerb, type Command } from "../command.ts";
import { openOpsBroker, openOpsDb } from "../open-tools.ts";
import { printTable } from "../print-table.ts";
import { toJson } from "../to-json.ts";

export const groupsCommand: Command = {
  summary: "every consumer group: members, lag, paused, parked, dead letters; reset moves one",
  help: `ops groups [ls] [--json]

  ls   one line per group: its members, the messages not handled and the age of the oldest, the keys that wait behind a failure,
       the dead letters nobody dealt with, and why nothing moves, if so (the default)`,
  run: async (args, terminal) => {
    const { values, positionals } = readArgs(args, commonOptions);
    readVerb(positionals, ["ls"]);
    await using db = await openOpsDb(terminal);
    await using broker = await openOpsBroker(terminal);
    const groups = await listGroups({ sql: db.sql, broker, now: terminal.now });
    terminal.print(values.json ? toJson({ groups }) : groupTable(groups));
    return 0;
  },
};

function groupTable(groups: readonly GroupState[]): string {
  return printTable(
    ["GROUP", "MEMBERS", "STATE", "MESSAGES", "SECONDS", "PARKED KEYS", "DEAD", "BLOCKED"],
    groups.map((group) => [
      group.group,
      group.members,
      group.state,
      group.lagMessages,
      group.lagSeconds,
      group.parkedKeys,
      group.dead,
      group.blocked === null ? null : `${group.blocked.why} since ${group.blocked.since.toISOString()}`,
    ]),
  );
}
