import { maxRedrives } from "../../../shared/consume/redrive-dead.ts";
import { redriveDeadLetters, type RedriveResult } from "../actions/redrive-dead-letters.ts";
import { planRedrive, type RedrivePlan } from "../actions/redrive-plan.ts";
import { readNumber, usageError, type Terminal } from "../command.ts";
import { liveLag } from "../live-lag.ts";
import { openOpsBroker, openOpsDb, readBy } from "../open-tools.ts";
import { printTable } from "../print-table.ts";
import { isUuid, readChangeFilter, type DlqValues } from "./dlq-options.ts";

export async function redrive(_: readonly string[], values: DlqValues, terminal: Terminal): Promise<number> {
  const { print } = terminal;
  const [ratePerSecond, maxLag] = [readNumber("rate", values.rate), readNumber("max-lag", values["max-lag"])];
  if (ratePerSecond < 1) throw usageError("--rate must be 1 or more");
  if (values.id !== undefined && !isUuid(values.id)) throw usageError(`"${values.id}" is no id`);
  const filter = values.id === undefined ? readChangeFilter(values, terminal) : null;
  if (filter === null && values["dry-run"]) throw usageError("--id goes on with a plan that is made already");
  await using db = await openOpsDb(terminal);
  const plan = filter === null ? null : await planRedrive(db.sql, filter, maxRedrives);
  if (plan !== null && (values["dry-run"] || plan.messages === 0)) {
    print(values.json ? JSON.stringify({ dryRun: values["dry-run"], plan }) : describePlan(plan));
    return 0;
  }
  await using broker = await openOpsBroker(terminal);
  const id = values.id ?? Bun.randomUUIDv7();
  // On standard error, before anything is moved: who is cut off knows how to go on.
  terminal.log.warn("redrive_begins", { resume: `ops dlq redrive --id ${id}` });
  const done = await redriveDeadLetters(
    {
      db,
      liveLag: (group) => liveLag(broker.admin, group),
      maxLag,
      pace: {
        ratePerSecond,
        signal: new AbortController().signal,
        onWait: (why) => terminal.log.warn("redrive_waits", { why }),
      },
    },
    { id, plan, by: readBy(values, terminal.env) },
  );
  print(
    values.json
      ? JSON.stringify({ dryRun: false, plan, ...done })
      : `redrive ${id}: ${done.moved} given back; ${done.left} of the plan are still dead${reasons(done.skipped)}`,
  );
  return 0;
}

function reasons(skipped: RedriveResult["skipped"]): string {
  const words = {
    over_cap: "over the cap",
    already: "moved already",
    not_dead: "dealt with",
    unknown: "gone",
    no_key: "without a key",
  };
  const parts = Object.entries(skipped).map(([why, count]) => `${count} ${words[why as keyof typeof words]}`);
  return parts.length === 0 ? "" : ` (left alone: ${parts.join(", ")})`;
}

function describePlan(plan: RedrivePlan): string {
  if (plan.messages === 0) return "no dead letter fits";
  const rows = plan.byKind.map((kind) => [
    kind.group,
    kind.fingerprint,
    kind.class,
    kind.messages,
    kind.keys,
    kind.oldest.toISOString(),
    kind.newest.toISOString(),
    (kind.error.split("\n")[0] ?? "").slice(0, 80),
  ]);
  const capped = plan.overCap === 0 ? "" : `; ${plan.overCap} of them were redriven ${plan.cap} times and stay`;
  return [
    `would give back ${plan.messages} messages of ${plan.keys} keys${capped}`,
    printTable(["GROUP", "FINGERPRINT", "CLASS", "MESSAGES", "KEYS", "OLDEST", "NEWEST", "ERROR"], rows),
  ].join("\n");
}
