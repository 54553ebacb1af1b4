// Everything that can be said about the code without running the product: one line per check, exit code 1 if any fails.
import { checkout, ensureInstalled } from "./installed.ts";

const bun = process.execPath;

await ensureInstalled();

const checks: readonly (readonly [name: string, command: readonly string[]])[] = [
  ["types", ["check", "--no-script"]],
  ["lint", ["--bun", "node_modules/oxlint/bin/oxlint", "--deny-warnings"]],
  ["format", ["fmt", "--check", "--no-script"]],
  ["generated files are fresh", ["dev/gen.ts", "--check"]],
  ["the API document is valid", ["dev/api/examine-document.ts"]],
  ["the AsyncAPI document is valid", ["dev/api/async/examine-async-document.ts"]],
  ["what stands under redpanda/ is what its readers take", ["dev/redpanda/examine.ts"]],
  ["layers", ["test", "--timeout", "60000", "test/unit/layers.test.ts"]],
  ["schemas are compatible", ["test", "--timeout", "60000", "test/unit/schema"]],
];

let failed = 0;
for (const [name, command] of checks) {
  const child = Bun.spawn([bun, ...command], {
    cwd: checkout,
    stdout: "pipe",
    stderr: "pipe",
    env: { ...process.env, FORCE_COLOR: "0" },
  });
  const [out, err, code] = await Promise.all([
    new Response(child.stdout).text(),
    new Response(child.stderr).text(),
    child.exited,
  ]);
  console.log(`${code === 0 ? "ok  " : "FAIL"} ${name}`);
  if (code !== 0) {
    failed += 1;
    console.log(`${out}${err}`.trimEnd().replaceAll(/^/gm, "     "));
  }
}
process.exit(failed === 0 ? 0 : 1);
