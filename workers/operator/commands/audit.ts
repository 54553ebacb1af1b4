import { listAudit, readAuditEntry } from "../audit.ts";
import { commonOptions, readArgs, readNumber, usageError, type Command } from "../command.ts";
import { openOpsDb } from "../open-tools.ts";
import { printTable } from "../print-table.ts";
import { isUuid } from "./dlq-options.ts";

export const auditCommand: Command = {
  summary: "what operators changed: who, what, when",
  help: `ops audit [ID] [--limit N] [--json]

The newest changes first, 50 unless told; with an ID that one, with its plan and how far it got. Replays and redrives that say
"running" and have no process behind them were cut off: their ID resumes them.`,
  run: async (args, terminal) => {
    const { values, positionals } = readArgs(args, { ...commonOptions, limit: { type: "string", default: "50" } });
    const [id, stray] = positionals;
    if (stray !== undefined) throw usageError(`unexpected "${stray}"`);
    if (id !== undefined && !isUuid(id)) throw usageError(`"${id}" is no id`);
    const limit = readNumber("limit", values.limit);
    await using db = await openOpsDb(terminal);
    if (id !== undefined) {
      const entry = await readAuditEntry(db.sql, id);
      terminal.print(values.json ? JSON.stringify(entry) : JSON.stringify(entry, null, 2));
      return 0;
    }
    const entries = await listAudit(db.sql, limit);
    const rows = entries.map((one) => [
      one.id,
      one.at.toISOString(),
      one.who,
      one.via,
      one.action,
      one.state,
      one.reason,
    ]);
    if (values.json) terminal.print(JSON.stringify({ entries }));
    else terminal.print(printTable(["ID", "AT", "WHO", "VIA", "ACTION", "STATE", "REASON"], rows));
    return 0;
  },
};
