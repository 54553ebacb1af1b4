import { changeHelp, type ActionCommand } from "../action-command.ts";
import { drop, edit, redrive } from "./dlq-change.ts";
import { groups, ls, show } from "./dlq-look.ts";
import { showTopic, topics } from "./dlq-topics.ts";

export const dlqCommand = {
  summary: "what could not be handled or published: look, redrive, drop, edit",
  help: `ops dlq [groups|ls|show|topics|redrive|drop|edit] [--json]

  groups                 dead letters by kind: count, first and last, keys and users, a sample (the default)
  ls                     one line each, the newest first; --limit N, 50 unless told; --state dead|redriven|dropped|edited|all
  show ID                one with everything that is known: headers, tries, stack, the decoded record
  topics                 every dead-letter topic with its number of records
  show TOPIC             its newest records, for what was never published; --limit N, or --partition P --offset O for one
  redrive                puts them back into the queues of the group that gave them up, per key in order; needs a filter or --all.
                         --rate N a second (50), waits while the group is more than --max-lag N (1000) messages behind.
                         --id ID goes on with one that was cut off
  drop                   settles them as not worth handling; needs a filter or --all
  edit ID --data FILE    a corrected copy: FILE (or - for standard input) is the whole record as JSON, as \`show ID --json\` has it
                         under value; checked against the schema; the original is kept. Redrive the copy by --letter

  Filters: --group G --fingerprint F --key K --user U --class C --from TIME --to TIME --letter ID (may be repeated)
${changeHelp}
  TIME is RFC 3339 or an age: 30m, 2h, 3d. TOPIC is a dead-letter topic, with or without the ending -dlq`,
  actions: { groups, ls, show, topics, redrive, drop, edit, "show topic": showTopic },
  pick: (verb, [word = ""]) => (verb === "show" && !/^[0-9a-f-]{36}$/i.test(word) ? "show topic" : verb),
} satisfies ActionCommand;
