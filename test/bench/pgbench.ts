import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** Runs a script with pgbench, prepared and without vacuum, and returns its transactions per second. */
export async function runPgbench(
  of: Readonly<{ url: string; script: string; clients: number; seconds: number }>,
): Promise<number> {
  const folder = mkdtempSync(join(tmpdir(), "taskwire-pgbench-"));
  try {
    const file = join(folder, "script.sql");
    writeFileSync(file, of.script);
    const threads = String(Math.min(2, of.clients));
    const child = Bun.spawn(
      [
        pgbenchPath(),
        "-n",
        "-M",
        "prepared",
        "-c",
        String(of.clients),
        "-j",
        threads,
        "-T",
        String(of.seconds),
        "-f",
        file,
        of.url,
      ],
      { stdout: "pipe", stderr: "pipe" },
    );
    const [out, err] = await Promise.all([new Response(child.stdout).text(), new Response(child.stderr).text()]);
    const tps = /^tps = ([\d.]+)/m.exec(out)?.[1];
    if ((await child.exited) !== 0 || tps === undefined) throw new Error(`pgbench failed: ${err || out}`);
    return Number(tps);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** Throws, saying where to get it, when there is no pgbench. */
export function pgbenchPath(): string {
  const path = Bun.which("pgbench");
  if (path === null)
    throw new Error(
      "pgbench is not on PATH: it is in the package postgresql-contrib (Debian) or postgresql (Homebrew)",
    );
  return path;
}
