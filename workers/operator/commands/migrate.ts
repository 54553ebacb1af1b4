import { readConfig } from "../../../shared/role/config.ts";
import { databaseSettings } from "../../../shared/postgres/db.ts";
import { migrate } from "../migrate.ts";
import { commonOptions, readArgs, type OperatorCommand } from "../command.ts";
import { usageError } from "../usage-error.ts";

export const migrateCommand: OperatorCommand = {
  summary: "bring the database to this build",
  help: `ops migrate [--json]

Applies the migrations the database does not have yet, each in a transaction of its own. Safe to run twice and from
two places at once. Run it before roles of this build are started: they refuse an older database.`,
  run: async (args, { env, print, log }) => {
    const { values, positionals } = readArgs(args, commonOptions);
    if (positionals.length > 0) throw usageError(`unexpected "${positionals[0]}"`);
    const { database } = readConfig({ database: databaseSettings }, env);
    const applied = await migrate(database.directUrl ?? database.url, { log });
    if (values.json) print(JSON.stringify({ applied }));
    else
      print(applied.length === 0 ? "the database is up to date" : applied.map((name) => `applied ${name}`).join("\n"));
    return 0;
  },
};
