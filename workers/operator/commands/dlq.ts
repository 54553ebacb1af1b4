import { readArgs, usageError, type Command, type Terminal } from "../command.ts";
import { changeHelp } from "../open-tools.ts";
import { dlqOptions, type DlqValues } from "./dlq-options.ts";
import { drop, edit } from "./dlq-change.ts";
import { groups, list, show } from "./dlq-look.ts";
import { redrive } from "./dlq-redrive.ts";
import { showTopic, topics } from "./dlq-topics.ts";

const verbs: Readonly<
  Record<string, (words: readonly string[], values: DlqValues, terminal: Terminal) => Promise<number>>
> = {
  groups,
  ls: list,
  show: (words, values, terminal) =>
    /^[0-9a-f-]{36}$/i.test(words[0] ?? "") ? show(words, values, terminal) : showTopic(words, values, terminal),
  topics,
  redrive,
  drop,
  edit,
};

export const dlqCommand: Command = {
  summary: "what could not be handled or published: look, redrive, drop, edit",
  help: `ops dlq [groups|ls|show|topics|redrive|drop|edit] [--json]

  groups                 dead letters by kind: count, first and last, keys and users, a sample (the default)
  ls                     one line each, the newest first; --limit N, 50 unless told; --state dead|redriven|dropped|edited|all
  show ID                one with everything that is known: headers, tries, stack, the decoded record
  topics                 every dead-letter topic with its number of records
  show TOPIC             its newest records, for what was never published; --limit N, or --partition P --offset O for one
  redrive                gives them back to the group that gave up, behind their keys, in their order; needs a filter or --all.
                         --rate N a second (50), waits while the group is more than --max-lag N (1000) messages behind.
                         --id ID goes on with one that was cut off
  drop                   settles them as not worth handling; needs a filter or --all
  edit ID --data FILE    a corrected copy: FILE (or - for standard input) is the whole record as JSON, as \`show ID --json\` has it
                         under value; checked against the schema; the original is kept. Redrive the copy by --letter

  Filters: --group G --fingerprint F --key K --user U --class C --from TIME --to TIME --letter ID (may be repeated)
${changeHelp}
  TIME is RFC 3339 or an age: 30m, 2h, 3d. TOPIC is a dead-letter topic, with or without the ending -dlq`,
  run: async (args, terminal) => {
    const { values, positionals } = readArgs(args, dlqOptions);
    const [word = "groups", ...words] = positionals;
    const run = Object.hasOwn(verbs, word) ? verbs[word] : undefined;
    if (run === undefined) throw usageError(`"${word}" is not one of ${Object.keys(verbs).join(", ")}`);
    const most = word === "show" || word === "edit" ? 1 : 0;
    if (words.length > most) throw usageError(`unexpected "${words[most]}"`);
    return await run(words, values, terminal);
  },
};
