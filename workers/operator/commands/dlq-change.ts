import { z } from "@hono/zod-openapi";
import { maxRedrives } from "../../../shared/consume/dead-letters/redrive-dead.ts";
import { Problem } from "../../../shared/problem.ts";
import { uuidV7 } from "../../../shared/uuid.ts";
import { defineAction } from "../action.ts";
import { dropDeadLetters } from "../actions/drop-dead-letters.ts";
import { editDeadLetter } from "../actions/edit-dead-letter.ts";
import { redriveDeadLetters, type RedriveResult } from "../actions/redrive-dead-letters.ts";
import { planRedrive, type RedrivePlan } from "../actions/redrive-plan.ts";
import { rate } from "../fields.ts";
import { liveLag } from "../live-lag.ts";
import { cut, tableOf } from "../print-table.ts";
import { changeFilter, cli, saysWhich, sayWhich, whichFields } from "./dlq-filter.ts";

export const drop = defineAction({
  route: "POST /api/dead-letters/drop",
  input: z.strictObject(whichFields).refine(saysWhich, sayWhich),
  cli,
  change: { dryRun: false },
  run: async ({ db, now }, which, change) => {
    const filter = await changeFilter(which, now);
    return dropDeadLetters(await db(), filter, change);
  },
  print: ({ ids }, { dryRun }) => `${dryRun ? "would drop" : "dropped"} ${ids.length} dead letters`,
});

export const edit = defineAction({
  route: "POST /api/dead-letters/:id/edit",
  input: z.strictObject({ id: z.uuid(), data: z.record(z.string(), z.unknown()) }),
  cli: { words: { id: "the id of a dead letter" }, files: ["data"] },
  change: { dryRun: false },
  run: async ({ db, codec, readSchemas }, letter, change) =>
    editDeadLetter({ db: await db(), codec, readSchemas }, letter, change).catch(blameData),
  print: (edited, { dryRun, input: { id } }) =>
    [
      `${dryRun ? "would change" : "changed"} ${edited.changed.join(", ") || "nothing more"} of ${edited.type} ${id}`,
      ...(dryRun ? [] : [`the copy is ${edited.id}: \`ops dlq redrive --letter ${edited.id}\``]),
    ].join("\n"),
});

export const redrive = defineAction({
  route: "POST /api/dead-letters/redrive",
  input: z
    .strictObject({
      ...whichFields,
      id: z.uuid().optional(),
      rate: rate(50),
      maxLag: z.number().int().min(0).default(1000),
    })
    .refine((asked) => asked.id !== undefined || saysWhich(asked), sayWhich),
  cli,
  change: { dryRun: false, resumes: "id" },
  run: async (tools, asked, { by, dryRun }) => {
    const filter = asked.id === undefined ? await changeFilter(asked, tools.now) : null;
    const db = await tools.db();
    const plan = filter === null ? null : await planRedrive(db.sql, filter, maxRedrives);
    if (plan !== null && (dryRun || plan.messages === 0)) return { plan };
    const { admin } = await tools.broker();
    const id = asked.id ?? uuidV7();
    // Before anything is moved: who is cut off knows how to go on.
    tools.tell("redrive_begins", { resume: `ops dlq redrive --id ${id}` });
    const onWait = (why: string) => tools.tell("redrive_waits", { why });
    const pace = { ratePerSecond: asked.rate, signal: tools.signal, onWait };
    const deps = {
      db,
      liveLag: (group: Parameters<typeof liveLag>[1]) => liveLag(admin, group),
      maxLag: asked.maxLag,
      pace,
    };
    const done = await tools.runLong(id, () => redriveDeadLetters(deps, { id, plan, by }));
    return done === undefined ? { id, plan } : { plan, ...done };
  },
  print: (answer) =>
    "moved" in answer
      ? `redrive ${answer.id}: ${answer.moved} redriven; ${answer.left} of the plan are still dead${reasons(answer.skipped)}`
      : describePlan(answer.plan),
});

/** What does not fit the schema is a mistake of the one who edited, not of this build. */
function blameData(error: unknown): never {
  if (!(error instanceof Problem) || error.code !== "UNENCODABLE") throw error;
  const mistakes = (error.extra.mistakes ?? []).map(({ path, message }) => ({ path: `/data${path}`, message }));
  throw new Problem("INVALID_REQUEST", error.message, { mistakes, cause: error });
}

const skippedWords: Readonly<Record<keyof RedriveResult["skipped"], string>> = {
  over_cap: "over the cap",
  already: "moved already",
  not_dead: "dealt with",
  unknown: "gone",
  no_key: "without a key",
};

function reasons(skipped: RedriveResult["skipped"]): string {
  const parts = Object.entries(skipped).map(([why, count]) => `${count} ${skippedWords[why as keyof typeof skipped]}`);
  return parts.length === 0 ? "" : ` (left alone: ${parts.join(", ")})`;
}

function describePlan(plan: RedrivePlan | null): string {
  if (plan === null || plan.messages === 0) return "no dead letter fits";
  const capped = plan.overCap === 0 ? "" : `; ${plan.overCap} of them were redriven ${plan.cap} times and stay`;
  const table = tableOf(
    ["group", "fingerprint", "class", "messages", "keys", "oldest", "newest", ["error", (kind) => cut(kind.error)]],
    plan.byKind,
  );
  return `would redrive ${plan.messages} messages of ${plan.keys} keys${capped}\n${table}`;
}
