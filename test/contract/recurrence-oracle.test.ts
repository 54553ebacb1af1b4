import { expect, test } from "bun:test";
import { join } from "node:path";
import { parseRrule, type Rrule } from "../../shared/recurrence/parse-rrule.ts";
import { makeRecurrences } from "../../shared/recurrence/recurrence.ts";
import { findPython, lacks, runPython } from "../support/python.ts";
import { randomOf } from "../support/random.ts";
import { randomRule, type RandomRule } from "../support/random-rule.ts";

const python = await findPython();
const isLong = process.env["LONG_TESTS"] === "1";
const seed = Number(process.env["ORACLE_SEED"] ?? 5545);
const take = 20;
/** How far both look: dateutil walks every day up to there where a rule is rare, and takes most of the time. */
const lastYears = { near: 2080, all: 2200 } as const;

type Row = RandomRule & Readonly<{ tz: string }>;

test.skipIf(lacks(python))(
  `${isLong ? "10,000" : "500"} random rules recur as dateutil says, an implementation by others${python.why}`,
  () => compare(isLong ? 10_000 : 500, (random) => ({ ...randomRule(random), tz: "UTC" }), isLong ? "all" : "near"),
  isLong ? 3_600_000 : 120_000,
);

/**
 * With gaps and overlaps of an hour and of half an hour, at midnight and after; one leaves a day out, one changes
 * nothing.
 */
const zones = [
  "Europe/Berlin",
  "America/New_York",
  "Australia/Lord_Howe",
  "Pacific/Auckland",
  "America/Sao_Paulo",
  "America/St_Johns",
  "Pacific/Apia",
  "Asia/Kolkata",
] as const;

test.skipIf(lacks(python))(
  `and ${isLong ? "2,000" : "80"} of the small hours in zones whose clocks change, by Python's zone database${python.why}`,
  () =>
    compare(
      isLong ? 2000 : 80,
      (random) => {
        const { rrule, start } = randomRule(random);
        const below = (limit: number) => Math.floor(random() * limit);
        const time = `0${below(4)}:${["00", "15", "30", "45"][below(4)]}:00`;
        const small = rrule.replace(/;BY(HOUR|MINUTE|SECOND)=[^;]*/g, "");
        return { rrule: small, start: `${start.slice(0, 11)}${time}`, tz: zones[below(zones.length)] ?? "UTC" };
      },
      "all",
    ),
  isLong ? 600_000 : 120_000,
);

async function compare(
  size: number,
  make: (random: () => number) => Row,
  reach: keyof typeof lastYears,
): Promise<void> {
  const random = randomOf(seed);
  const rows = Array.from({ length: size }, () => make(random)).filter(
    ({ rrule }) => !("message" in parseRrule(rrule)),
  );
  let compared = 0;
  for (let from = 0; from < rows.length; from += 250) {
    const batch = rows.slice(from, from + 250);
    const theirs = await expandByDateutil(batch, lastYears[reach]);
    for (const [index, row] of batch.entries()) {
      const expected = theirs[index] ?? [];
      // The rule stands beside its starts, so that a difference shows both.
      expect({ seed, ...row, starts: starts(row, lastYears[reach]) }).toEqual({ seed, ...row, starts: expected });
      compared += expected.length;
    }
  }
  // Rules that never occur, or were refused, would agree about nothing.
  expect(rows.length).toBeGreaterThan(size * 0.8);
  expect(compared).toBeGreaterThan(rows.length * 8);
}

function starts({ rrule, start, tz }: Row, lastYear: number): readonly string[] {
  const far = new Date(Date.UTC(lastYear + 1, 0, 1));
  const series = makeRecurrences({ rule: valid(rrule), start, tz, monthEnd: "skip" });
  return series.between(new Date(0), far, take).map(({ at }) => at.toISOString().replace(".000Z", "+00:00"));
}

function valid(rrule: string): Rrule {
  const rule = parseRrule(rrule);
  if ("message" in rule) throw new Error(`${rrule} was refused: ${rule.message}`);
  return rule;
}

async function expandByDateutil(rows: readonly Row[], lastYear: number): Promise<readonly (readonly string[])[]> {
  const input = rows.map((row) => `${JSON.stringify({ ...row, take })}\n`).join("");
  const output = await runPython(python, [join(import.meta.dir, "recurrence_oracle.py"), String(lastYear)], input);
  return output
    .trimEnd()
    .split("\n")
    .map((line) => JSON.parse(line) as readonly string[]);
}
