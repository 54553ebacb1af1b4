import { readConfig } from "../../../shared/config.ts";
import { databaseSettings, openDb } from "../../../shared/postgres/db.ts";
import { commonOptions, readArgs, usageError, type Command } from "../command.ts";
import { printTable } from "../print-table.ts";
import { readOutbox } from "../read-outbox.ts";

export const outboxCommand: Command = {
  summary: "what waits to be published, and since when",
  help: `ops outbox [--json]

One line per shard: the relay that publishes it, the messages that wait and the age of the oldest. Below, the keys held
back because the broker refused one of their messages for good.`,
  run: async (args, { env, print, log }) => {
    const { values, positionals } = readArgs(args, commonOptions);
    if (positionals.length > 0) throw usageError(`unexpected "${positionals[0]}"`);
    const { database } = readConfig({ database: databaseSettings }, env);
    await using db = await openDb(database, { role: "ops", poolSize: 1, log, checkSchema: false });
    const state = await readOutbox(db.sql);
    if (values.json) {
      print(JSON.stringify(state));
      return 0;
    }
    print(
      printTable(
        ["SHARD", "RELAY", "EPOCH", "WAITING", "SECONDS"],
        state.shards.map(({ shard, owner, epoch, waiting, oldestSeconds }) => [
          shard,
          owner,
          epoch,
          waiting,
          oldestSeconds,
        ]),
      ),
    );
    print(`\n${state.waiting} waiting, the oldest for ${state.oldestSeconds} s`);
    if (state.holds.length > 0) {
      const rows = state.holds.map(({ topic, key, since, reason }) => [topic, key, since.toISOString(), reason]);
      print(`\nheld back:\n${printTable(["TOPIC", "KEY", "SINCE", "REASON"], rows)}`);
    }
    return 0;
  },
};
