import type { GroupState } from "../actions/describe-groups.ts";
import { listGroups } from "../actions/list-groups.ts";
import { resetConsumerGroup, type GroupReset, type ResetTo } from "../actions/reset-consumer-group.ts";
import { commonOptions, readArgs, usageError, type Command } from "../command.ts";
import { changeHelp, changeOptions, openOpsBroker, openOpsDb, readBy, readTimeOption } from "../open-tools.ts";
import { printTable } from "../print-table.ts";
import { readGroup } from "../read-group.ts";
import { toJson } from "../to-json.ts";

export const groupsCommand: Command = {
  summary: "every consumer group: members, lag, paused, parked, dead letters; reset moves one",
  help: `ops groups [ls] [--json]
ops groups reset GROUP --to earliest|latest|TIME [--force] [--yes] [--json]

  ls      one line per group: its members, the messages not handled and the age of the oldest, the keys that wait behind a
          failure, the dead letters nobody dealt with, and why nothing moves, if so (the default)
  reset   moves a group and makes it handle again what it reads again. Shows its plan, and does it with --yes. The group must have
          no members; one whose effects reach outside the database (notification-service) needs --force

${changeHelp}
  TIME is RFC 3339 or an age: 30m, 2h, 3d`,
  run: async (args, terminal) => {
    const { values, positionals } = readArgs(args, {
      ...commonOptions,
      ...changeOptions,
      to: { type: "string" },
      force: { type: "boolean", default: false },
      yes: { type: "boolean", default: false },
    });
    const [verb = "ls", name, stray] = positionals;
    if (verb !== "ls" && verb !== "reset") throw usageError(`"${verb}" is not one of ls, reset`);
    if (stray !== undefined || (verb === "ls" && name !== undefined)) throw usageError(`unexpected "${stray ?? name}"`);
    if (verb === "reset" && (name === undefined || values.to === undefined)) throw usageError("say a group and --to");
    const to = verb === "reset" ? readTo(values.to, terminal.now()) : null;
    const group = name === undefined ? null : readGroup(name);
    await using db = await openOpsDb(terminal);
    await using broker = await openOpsBroker(terminal);
    if (to === null || group === null) {
      const groups = await listGroups({ sql: db.sql, broker, now: terminal.now });
      terminal.print(values.json ? toJson({ groups }) : groupTable(groups));
      return 0;
    }
    const dryRun = values["dry-run"] || !values.yes;
    const change = { by: readBy(values, terminal.env), dryRun };
    const reset = await resetConsumerGroup({ db, admin: broker.admin }, { group, to, force: values.force }, change);
    terminal.print(values.json ? toJson({ dryRun, ...reset }) : describeReset(reset, dryRun));
    return 0;
  },
};

function readTo(text: string | undefined, now: Date): ResetTo | null {
  return text === "earliest" || text === "latest" ? text : readTimeOption("to", text, now);
}

function describeReset(reset: GroupReset, dryRun: boolean): string {
  const rows = reset.steps.map((step) => [step.topic, step.partition, step.from, step.to, step.again, step.skipped]);
  const sum = (of: "again" | "skipped") => reset.steps.reduce((total, step) => total + step[of], 0);
  const lines = [
    `${dryRun ? "would reset" : "reset"} ${reset.group}: ${sum("again")} messages handled again, ${sum("skipped")} never, ` +
      `${reset.parkedMessages} parked ones of ${reset.parkedKeys} keys cleared`,
    printTable(["TOPIC", "PARTITION", "FROM", "TO", "AGAIN", "SKIPPED"], rows),
  ];
  if (!dryRun) return lines.join("\n");
  if (reset.members > 0) lines.push(`refused as long as it has members; it has ${reset.members}: stop its role first`);
  if (reset.needsForce !== null) lines.push(`needs --force: ${reset.needsForce}`);
  return [...lines, "--yes does it"].join("\n");
}

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
