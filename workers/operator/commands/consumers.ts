import { controlConsumer } from "../actions/control-consumer.ts";
import { commonOptions, readArgs, usageError, type Command } from "../command.ts";
import { changeHelp, changeOptions, openOpsDb, readBy } from "../open-tools.ts";
import { readGroup } from "../read-group.ts";

const verbs = ["pause", "resume", "release-flood"] as const;

export const consumersCommand: Command = {
  summary: "pause and resume a consumer group, or release its flood guard",
  help: `ops consumers pause|resume|release-flood GROUP [--json]

  pause           its members finish what they have and read no more; they stay in the group and start no retry
  resume          they go on
  release-flood   a group that stopped because most messages failed alike goes on

${changeHelp}`,
  run: async (args, terminal) => {
    const { values, positionals } = readArgs(args, { ...commonOptions, ...changeOptions });
    const [word, name, stray] = positionals;
    const control = verbs.find((verb) => verb === word);
    if (control === undefined || name === undefined || stray !== undefined)
      throw usageError(`say one of ${verbs.join(", ")}, and a group`);
    const group = readGroup(name);
    await using db = await openOpsDb(terminal);
    const dryRun = values["dry-run"];
    const done = await controlConsumer(db, { group, control }, { by: readBy(values, terminal.env), dryRun });
    const did = { pause: "paused", resume: "resumed", "release-flood": "flood guard released" }[control];
    if (values.json) terminal.print(JSON.stringify({ dryRun, ...done }));
    else if (done.auditId === null) terminal.print(dryRun ? `${group}: would be ${did}` : `${group}: ${did} already`);
    else terminal.print(`${group}: ${did}`);
    return 0;
  },
};
