import { readConfig } from "../../../shared/config.ts";
import { kafkaSettings, openBroker } from "../../../shared/kafka/kafka-broker.ts";
import { commonOptions, readArgs, usageError, type Command } from "../command.ts";
import { measureLag } from "../measure-lag.ts";
import { printTable } from "../print-table.ts";

export const lagCommand: Command = {
  summary: "how far each consumer group is behind, in messages and seconds",
  help: `ops lag [--group NAME] [--json]

One line per group, topic and partition: the offset read next, the end of the log, the messages between and the age
of the oldest of them. A dash means that the group has never committed there.

  --group NAME   this group only`,
  run: async (args, { env, print, log, now }) => {
    const { values, positionals } = readArgs(args, { ...commonOptions, group: { type: "string" } });
    if (positionals.length > 0) throw usageError(`unexpected "${positionals[0]}"`);
    const { kafka } = readConfig({ kafka: kafkaSettings }, env);
    await using broker = await openBroker(kafka, { clientId: "taskwire-ops", log });
    const [all, groups] = await Promise.all([measureLag(broker.admin, now()), broker.admin.groups()]);
    const lags = all.filter(({ group }) => values.group === undefined || group === values.group);
    if (lags.length === 0) throw usageError(`there is no group "${values.group}"`);
    const state = new Map(groups.map((group) => [group.name, group]));
    if (values.json) {
      const rows = lags.map((lag) => ({
        ...lag,
        committed: lag.committed === null ? null : Number(lag.committed),
        end: Number(lag.end),
        state: state.get(lag.group)?.state ?? "absent",
        members: state.get(lag.group)?.members ?? 0,
      }));
      print(JSON.stringify({ lags: rows }));
    } else
      print(
        printTable(
          ["GROUP", "MEMBERS", "TOPIC", "PARTITION", "NEXT", "END", "MESSAGES", "SECONDS"],
          lags.map((lag) => [
            lag.group,
            state.get(lag.group)?.members ?? 0,
            lag.topic,
            lag.partition,
            lag.committed,
            lag.end,
            lag.messages,
            lag.seconds,
          ]),
        ),
      );
    return 0;
  },
};
