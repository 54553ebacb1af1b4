import { readConfig } from "../../../shared/config.ts";
import { openRegistry, registrySettings } from "../../../shared/registry.ts";
import { applySchemas, lookAtSchemas, type SubjectState } from "../actions/apply-schemas.ts";
import { commonOptions, readArgs, readVerb, type Command } from "../command.ts";
import { openOpsDb, readBy } from "../open-tools.ts";
import { printTable } from "../print-table.ts";

export const schemasCommand: Command = {
  summary: "show schemas as they are registered; apply registers what is missing",
  help: `ops schemas [ls|apply] [--json]

  ls       every subject: versions committed here, versions registered, the compatibility level (the default)
  apply    checks all committed versions against each other (FULL_TRANSITIVE, without the registry), then sets that
           level on every subject and registers what is missing, oldest version first. Safe to run twice. Run it before
           roles of this build are started: they never register anything.`,
  run: async (args, terminal) => {
    const { env, print } = terminal;
    const { values, positionals } = readArgs(args, {
      ...commonOptions,
      by: { type: "string" },
      reason: { type: "string" },
    });
    const verb = readVerb(positionals, ["ls", "apply"]);
    const { registry: settings } = readConfig({ registry: registrySettings }, env);
    const registry = openRegistry(settings);
    let rows: readonly SubjectState[];
    if (verb === "ls") rows = await lookAtSchemas(registry);
    else {
      await using db = env["DATABASE_URL"] ? await openOpsDb(terminal) : null;
      rows = await applySchemas(registry, { db, by: readBy(values, env) });
    }
    if (values.json) print(JSON.stringify({ applied: verb === "apply", subjects: rows }));
    else
      print(
        printTable(
          ["SUBJECT", "COMMITTED", "REGISTERED", "ID", "COMPATIBILITY", "STATE"],
          rows.map((row) => [
            row.subject,
            row.committed,
            row.registered,
            row.id,
            row.compatibility ?? "global",
            row.changes.length > 0 ? row.changes.join(", ") : row.state,
          ]),
        ),
      );
    return 0;
  },
};
