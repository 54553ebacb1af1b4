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

test.skipIf(lacks(python))(
  `${isLong ? "10,000" : "500"} random rules recur as dateutil says, an implementation by others${python.why}`,
  async () => {
    const random = randomOf(seed);
    const rules = Array.from({ length: isLong ? 10_000 : 500 }, () => randomRule(random));
    let compared = 0;
    for (let from = 0; from < rules.length; from += 250) {
      const batch = rules.slice(from, from + 250);
      const theirs = await expandByDateutil(batch);
      for (const [index, rule] of batch.entries()) {
        const expected = theirs[index];
        // The rule stands beside its starts, so that a difference shows both.
        expect({ seed, ...rule, starts: starts(rule) }).toEqual({ seed, ...rule, starts: expected ?? [] });
        compared += expected?.length ?? 0;
      }
    }
    // Rules that never occur would agree about nothing.
    expect(compared).toBeGreaterThan(rules.length * 8);
  },
  isLong ? 1_800_000 : 120_000,
);

function starts({ rrule, start }: RandomRule): readonly string[] {
  const far = new Date("2201-01-01T00:00:00Z");
  const series = makeRecurrences({ rule: valid(rrule), start, tz: "UTC", monthEnd: "skip" });
  return series.between(new Date(0), far, take).map(({ id }) => id);
}

function valid(rrule: string): Rrule {
  const rule = parseRrule(rrule);
  if ("message" in rule) throw new Error(`${rrule} was refused: ${rule.message}`);
  return rule;
}

async function expandByDateutil(rules: readonly RandomRule[]): Promise<readonly (readonly string[])[]> {
  const input = rules.map((rule) => `${JSON.stringify({ ...rule, take })}\n`).join("");
  const output = await runPython(python, [join(import.meta.dir, "recurrence_oracle.py")], input);
  return output
    .trimEnd()
    .split("\n")
    .map((line) => JSON.parse(line) as readonly string[]);
}
