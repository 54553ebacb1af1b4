import { z } from "@hono/zod-openapi";
import { defineAction } from "../action.ts";
import { changeHelp, type ActionCommand } from "../action-command.ts";
import { controlConsumer } from "../actions/control-consumer.ts";
import { namedGroup } from "../fields.ts";

const did = { pause: "paused", resume: "resumed", "release-flood": "flood guard released" } as const;

const control = <const C extends keyof typeof did>(verb: C) =>
  defineAction({
    route: `POST /api/consumers/:group/${verb}` as const,
    input: z.strictObject({ group: namedGroup }),
    cli: { words: { group: "a group" } },
    change: { dryRun: false },
    run: async ({ db }, { group }, change) => controlConsumer(await db(), { group, control: verb }, change),
    print: ({ group, auditId }, { dryRun }) => {
      if (auditId !== null) return `${group}: ${did[verb]}`;
      return dryRun ? `${group}: would be ${did[verb]}` : `${group}: ${did[verb]} already`;
    },
  });

export const consumersCommand = {
  summary: "pause and resume a consumer group, or release its flood guard",
  help: `ops consumers pause|resume|release-flood GROUP [--json]

  pause           its members finish what they have and read no more; they stay in the group and start no retry
  resume          they go on
  release-flood   a group that stopped because most messages failed alike goes on

${changeHelp}`,
  actions: { pause: control("pause"), resume: control("resume"), "release-flood": control("release-flood") },
} satisfies ActionCommand;
