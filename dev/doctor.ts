// `bun run doctor`: what this machine has for `bun run dev`, what it lacks, and what to type. Exit code 1 when dev
// cannot run.
import { checkout, ensureInstalled } from "./installed.ts";
import { examine } from "./diagnose/examine.ts";
import type { Finding } from "./diagnose/finding.ts";
import { readEnvironment } from "./run/role-environment.ts";

const marks: Readonly<Record<Finding["state"], string>> = { good: "✓", note: "·", bad: "✗" };

await ensureInstalled();
const findings = await examine(checkout, readEnvironment(checkout));
const width = Math.max(...findings.map((finding) => finding.what.length));
for (const { state, what, found, how } of findings) {
  process.stdout.write(`${marks[state]} ${what.padEnd(width)}  ${found}\n`);
  if (how !== undefined) process.stdout.write(`  ${" ".repeat(width)}  → ${how}\n`);
}
const bad = findings.filter((finding) => finding.state === "bad").length;
process.stdout.write(
  bad === 0 ? '\n"npx bun run dev" can start.\n' : `\n${bad} to mend before "npx bun run dev" can start.\n`,
);
process.exitCode = bad === 0 ? 0 : 1;
