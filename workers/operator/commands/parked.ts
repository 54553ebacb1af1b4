import { z } from "@hono/zod-openapi";
import { defineAction } from "../action.ts";
import { changeHelp, type ActionCommand } from "../action-command.ts";
import { listParked, type ParkedKey } from "../actions/list-parked.ts";
import { changeParked, type ParkedDone } from "../actions/parked.ts";
import { group, limit, name, namedGroup } from "../fields.ts";
import { cut, tableOf } from "../print-table.ts";

const ls = defineAction({
  route: "GET /api/parked",
  input: z.strictObject({
    group: namedGroup.optional(),
    topic: name.optional(),
    key: name.optional(),
    fingerprint: name.optional(),
    limit,
  }),
  run: async ({ db }, { limit: most, ...asked }) => {
    const { sql } = await db();
    const { group: one = null, topic = null, key = null, fingerprint = null } = asked;
    return { parked: await listParked(sql, { group: one, topic, key, fingerprint }, most) };
  },
  print: ({ parked }) => (parked.length === 0 ? "no key is parked" : keyTable(parked)),
});

const ofOneKey = <const V extends "retry" | "skip">(verb: V) =>
  defineAction({
    route: `POST /api/parked/${verb}` as const,
    input: z.strictObject({ group, topic: name, key: name }),
    change: { dryRun: false },
    run: async ({ db }, place, change) =>
      changeParked(await db(), { verb, filter: { ...place, fingerprint: null } }, change),
    print: (changed, { dryRun }) => (dryRun ? `would ${verb}\n${keyTable(changed.keys)}` : said[verb](changed)),
  });

const release = defineAction({
  route: "POST /api/parked/release",
  input: z
    .strictObject({
      group: group.nullable().default(null),
      topic: name.nullable().default(null),
      key: name.nullable().default(null),
      fingerprint: name.nullable().default(null),
    })
    .refine((asked) => Object.values(asked).some((part) => part !== null), "say which"),
  cli: { says: { "": "say which, by a filter: --group G is all of a group" } },
  change: { dryRun: false },
  run: async ({ db }, filter, change) => changeParked(await db(), { verb: "release", filter }, change),
  print: (changed, { dryRun }) => (dryRun ? `would release\n${keyTable(changed.keys)}` : said.release(changed)),
});

export const parkedCommand = {
  summary: "keys that wait behind a failure: retry now, skip the head, release all",
  help: `ops parked [ls|retry|skip|release] [--json]

  ls        one line per key: what its head failed with, how often it was tried, when it is next (the default)
  retry     --group G --topic T --key K    tries the head of a key now
  skip      --group G --topic T --key K    the head becomes a dead letter; what waits behind it goes on
  release   --group G or any other filter  tries the heads of all keys that fit now, as after a fix

  Filters of ls and release: --group G --topic T --key K --fingerprint F; --limit N for ls, 100 unless told
${changeHelp}`,
  actions: { ls, retry: ofOneKey("retry"), skip: ofOneKey("skip"), release },
} satisfies ActionCommand;

const triedNow = ({ done }: ParkedDone) => `${done} ${done === 1 ? "key is" : "keys are"} tried now`;
const said = {
  retry: triedNow,
  release: triedNow,
  skip: ({ skipped }: ParkedDone) =>
    skipped.length === 0 ? "nothing was left to skip" : `skipped ${skipped.join(", ")}: now a dead letter`,
};

function keyTable(keys: readonly ParkedKey[]): string {
  return tableOf(
    [
      "group",
      "topic",
      ["position", (key) => `${key.partition}/${key.headOffset ?? "-"}`],
      "key",
      "messages",
      ["tries", "attempts"],
      "since",
      ["next", "nextAt"],
      "class",
      ["error", (key) => cut(key.error)],
    ],
    keys,
  );
}
