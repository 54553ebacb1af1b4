import { z } from "@hono/zod-openapi";
import { defineAction } from "../action.ts";
import type { ActionCommand } from "../action-command.ts";
import { usageError } from "../usage-error.ts";
import { measureLag } from "../measure-lag.ts";
import { tableOf } from "../print-table.ts";

const lag = defineAction({
  // Of the API `GET /api/groups` tells it, beside the rest of each group.
  route: null,
  input: z.strictObject({ group: z.string().optional() }),
  run: async ({ broker, now, tell }, { group: wanted }) => {
    const { admin } = await broker();
    // Lag is told without a database too: its seconds are by this machine's clock then.
    const at = await now().catch((error: unknown) => {
      tell("seconds_by_own_clock", { error });
      return new Date();
    });
    const [all, groups] = await Promise.all([measureLag(admin, at), admin.groups()]);
    const lags = all.filter(({ group }) => wanted === undefined || group === wanted);
    if (lags.length === 0) throw usageError(`there is no group "${wanted}"`);
    const known = new Map(groups.map((group) => [group.name, group]));
    return {
      lags: lags.map((one) => {
        const { state = "absent", members = 0 } = known.get(one.group) ?? {};
        return { ...one, state, members };
      }),
    };
  },
  print: ({ lags }) =>
    tableOf(["group", "members", "topic", "partition", ["next", "committed"], "end", "messages", "seconds"], lags),
});

export const lagCommand = {
  summary: "how far each consumer group is behind, in messages and seconds",
  help: `ops lag [--group NAME] [--json]

One line per group, topic and partition: the offset read next, the end of the log, the messages between and the age
of the oldest of them. A dash means that the group has never committed there.

  --group NAME   this group only`,
  actions: { "": lag },
} satisfies ActionCommand;
