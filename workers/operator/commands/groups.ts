import { z } from "@hono/zod-openapi";
import { defineAction } from "../action.ts";
import { changeHelp, type ActionCommand } from "../action-command.ts";
import { listGroups } from "../actions/list-groups.ts";
import { resetConsumerGroup, type GroupReset } from "../actions/reset-consumer-group.ts";
import { namedGroup, readMoment } from "../fields.ts";
import { tableOf } from "../print-table.ts";
import { readTime } from "../read-time.ts";

const ls = defineAction({
  route: "GET /api/groups",
  input: z.strictObject({}),
  run: async ({ db, broker, now }) => {
    const [{ sql }, at] = [await db(), await now()];
    return { groups: await listGroups({ sql, broker: await broker(), now: () => at }) };
  },
  print: ({ groups }) =>
    tableOf(
      [
        "group",
        "members",
        "state",
        ["messages", "lagMessages"],
        ["seconds", "lagSeconds"],
        ["parked keys", "parkedKeys"],
        "dead",
        ["blocked", ({ blocked }) => (blocked === null ? null : `${blocked.why} since ${blocked.since.toISOString()}`)],
      ],
      groups,
    ),
});

const isPlace = (to: string): to is "earliest" | "latest" => to === "earliest" || to === "latest";

const reset = defineAction({
  route: "POST /api/groups/:group/reset",
  input: z.strictObject({
    group: namedGroup,
    to: z.string().refine((to) => isPlace(to) || readTime(to, new Date(0)) !== null, "is earliest, latest or a time"),
    force: z.boolean().default(false),
  }),
  cli: { words: { group: "a group" } },
  change: { dryRun: false, confirm: "yes" },
  run: async ({ db, broker, now }, { group, to, force }, change) => {
    const target = isPlace(to) ? to : ((await readMoment(to, now)) ?? "latest");
    return resetConsumerGroup({ db: await db(), admin: (await broker()).admin }, { group, to: target, force }, change);
  },
  print: (done, { dryRun }) => describeReset(done, dryRun),
});

export const groupsCommand = {
  summary: "every consumer group: members, lag, paused, parked, dead letters; reset moves one",
  help: `ops groups [ls] [--json]
ops groups reset GROUP --to earliest|latest|TIME [--force] [--yes] [--json]

  ls      one line per group: its members, the messages not handled and the age of the oldest, the keys that wait behind a
          failure, the dead letters nobody dealt with, and why nothing moves, if so (the default)
  reset   moves a group and makes it handle again what it reads again. Shows its plan, and does it with --yes. The group must have
          no members; one whose effects reach outside the database (notification-service) needs --force

${changeHelp}
  TIME is RFC 3339 or an age: 30m, 2h, 3d`,
  actions: { ls, reset },
} satisfies ActionCommand;

function describeReset(reset: GroupReset, dryRun: boolean): string {
  const sum = (of: "again" | "skipped") => reset.steps.reduce((total, step) => total + step[of], 0);
  const lines = [
    `${dryRun ? "would reset" : "reset"} ${reset.group}: ${sum("again")} messages handled again, ${sum("skipped")} never, ` +
      `${reset.parkedMessages} parked ones of ${reset.parkedKeys} keys cleared`,
    tableOf(["topic", "partition", "from", "to", "again", "skipped"], reset.steps),
  ];
  if (!dryRun) return lines.join("\n");
  if (reset.members > 0) lines.push(`refused as long as it has members; it has ${reset.members}: stop its role first`);
  if (reset.needsForce !== null) lines.push(`needs --force: ${reset.needsForce}`);
  return [...lines, "--yes does it"].join("\n");
}
