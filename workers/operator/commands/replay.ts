import { z } from "@hono/zod-openapi";
import type { ReplayRequest } from "../../../shared/consume/replay/replay-command.ts";
import type { RehearsalReport } from "../../../shared/consume/replay/rehearse.ts";
import { consumerGroups } from "../../../shared/messages/topics.ts";
import { defineAction } from "../action.ts";
import type { ActionCommand } from "../action-command.ts";
import { moment, namedGroup, readMoment } from "../fields.ts";
import { offsetsAtTime } from "../offsets-at-time.ts";
import { cut, tableOf } from "../print-table.ts";
import { runScript } from "../run-script.ts";

const replay = defineAction({
  // It runs the group's code in a process of its own: see DESIGN, Operating.
  route: null,
  input: z.strictObject({ group: namedGroup, from: moment, limit: z.number().int().min(1).default(10_000) }),
  cli: { words: { group: "one group" } },
  run: async ({ env, broker, now }, { group, from: since, limit }) => {
    const from = (await readMoment(since, now)) ?? new Date(0);
    const { admin } = await broker();
    const offsets: Record<string, Record<string, string>> = {};
    for (const topic of consumerGroups[group])
      offsets[topic] = Object.fromEntries(
        [...(await offsetsAtTime(admin, topic, from))].map(([partition, offset]) => [partition, String(offset)]),
      );
    const argument: ReplayRequest = { from: offsets, limit };
    // Printed by `replayCommand`.
    return { from, ...((await runScript({ role: group, script: "replay.ts", argument }, { env })) as RehearsalReport) };
  },
  print: describe,
  fails: ({ failures }) => failures.length > 0,
});

export const replayCommand = {
  summary: "what a group would do if it handled again what it has had since a time; changes nothing",
  help: `ops replay GROUP --from TIME [--limit 10000] [--json]

Runs the group's own handler on the records of its topics from that time on, beside the running roles. Each batch is a
transaction that is rolled back: no row, message, mail or job comes of it. Shown beside what is on record:
  what became of the messages when the group had them
  what it published then, what it would publish again (readers drop that), and what it never published
  the rows it would change, and the messages its handler fails on

It tells whether \`groups reset --to TIME\` would be harmless, and whether a new build handles what the last one had. It cannot
tell what would have been: handlers see the tables as they are today, and nothing of the batches before. What
runs beside handlers (timers, deliveries) is no part of it. The outbox keeps a day, so older messages have no "before".

  --limit N   the oldest N messages at most
  TIME is RFC 3339 or an age: 30m, 2h, 3d`,
  actions: { "": replay },
} satisfies ActionCommand;

function describe({ from, ...done }: RehearsalReport & Readonly<{ from: Date }>): string {
  const read = tableOf<RehearsalReport["read"][number]>(
    [["read", "type"], "messages", "done", "parked", "dead", ["not yet", "unseen"]],
    done.read,
  );
  const published = tableOf<RehearsalReport["published"][number]>(
    [["would publish", "type"], "before", "again", ["for the first time", "first"]],
    done.published,
  );
  const rows = tableOf<RehearsalReport["rows"][number]>(
    [["would change", "table"], "inserted", "updated", "deleted"],
    done.rows,
  );
  const failures = tableOf<RehearsalReport["failures"][number]>(
    [["fails on", "type"], "messages", ["first", "firstId"], ["error", (one) => cut(one.error, Infinity)]],
    done.failures,
  );
  return [
    `${done.group} since ${from.toISOString()}: ${done.messages} messages${done.isCut ? ", and more that were left out" : ""}; all of it undone`,
    ...(done.unreadable + done.unknown === 0
      ? []
      : [`${done.unreadable} records cannot be read, ${done.unknown} are of types this build does not know`]),
    ...(done.read.length === 0 ? [] : ["", read]),
    "",
    done.published.length === 0
      ? "it would publish nothing, and has published nothing for them that the outbox still has"
      : published,
    "",
    done.rows.length === 0 ? "it would change no row" : rows,
    ...(done.failures.length === 0 ? [] : ["", failures]),
  ].join("\n");
}
