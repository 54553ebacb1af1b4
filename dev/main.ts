// `bun run dev`: installs what is missing, then starts the stack and the roles. Only this file's imports may be absent
// from node_modules, and they are not: everything in dev/ is written on what Bun itself provides.
import { checkout, ensureInstalled } from "./installed.ts";
import { parseArguments, usage } from "./run/arguments.ts";
import { renderBanner } from "./run/banner.ts";
import { directoriesOf } from "./run/directories.ts";
import { runDev } from "./run/run-dev.ts";
import { readStatus } from "./run/status.ts";

process.exitCode = await main(process.argv.slice(2));

async function main(argv: readonly string[]): Promise<number> {
  let options: ReturnType<typeof parseArguments>;
  try {
    options = parseArguments(argv);
  } catch (error) {
    process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
    return 2;
  }
  switch (options.command) {
    case "help":
      process.stdout.write(`${usage}\n`);
      return 0;
    case "status": {
      const status = await readStatus(directoriesOf(checkout).state);
      if (status === undefined) {
        process.stderr.write("dev is not running in this checkout; start it with: npx bun run dev\n");
        return 1;
      }
      process.stdout.write(`${options.json ? JSON.stringify(status, null, 2) : renderBanner(status)}\n`);
      return 0;
    }
    case "run": {
      await ensureInstalled();
      // A closed terminal must not keep the runner from stopping what it started.
      for (const stream of [process.stdout, process.stderr]) stream.on("error", () => {});
      const code = await runDev(checkout, options);
      process.exit(code);
    }
  }
}
