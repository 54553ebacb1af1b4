// `bun run pages`: builds the script of every page into its folder, for runtimes that do not build it themselves: Node
// and Deno.
import { Glob } from "bun";
import { dirname, join } from "node:path";

const root = join(import.meta.dirname, "..");
for (const entry of [...new Glob("workers/*/page/main.ts").scanSync(root)].sort()) {
  const naming = "app.js";
  const outdir = join(root, dirname(entry));
  const { success, logs } = await Bun.build({
    entrypoints: [join(root, entry)],
    outdir,
    naming,
    target: "browser",
    minify: true,
  });
  if (!success) throw new AggregateError(logs, `${entry} does not build`);
  process.stdout.write(`${join(dirname(entry), naming)}\n`);
}
