import { rename, rm } from "node:fs/promises";
import { join } from "node:path";

type Parts = Readonly<{ packages: readonly string[]; imports: string }>;

/** What the tests read our work back with: implementations by others. */
const readers: Parts = {
  packages: ["fastavro==1.13.1", "python-dateutil==2.9.0.post0", "icalendar==7.3.2"],
  imports: "import fastavro, dateutil, icalendar",
};
/** What the API is fuzzed with: 40 packages, so only who needs it waits for them. */
export const fuzzer: Parts = { packages: ["schemathesis==4.32.5"], imports: "import schemathesis.cli" };

/** `path` is `null` where there is none; `why` then says what is missing, to be put into a test's title. */
type Python = Readonly<{ path: string | null; why: string }>;

/**
 * Python with the packages above, in an environment of this checkout that is made once. Test files run side by side:
 * each that finds none makes one of its own, and the first to be ready is kept.
 */
export async function findPython({ packages, imports }: Parts = readers): Promise<Python> {
  const name = `python-${Bun.hash(packages.join(" ")).toString(36)}`;
  const folder = join(import.meta.dir, "../..", ".dev", name);
  const path = join(folder, "bin", "python");
  const works = () =>
    run([path, "-c", imports], "")
      .then(() => true)
      .catch(() => false);
  if (await works()) return { path, why: "" };
  const base = Bun.which("python3");
  if (base === null) return { path: null, why: " (skipped: there is no python3)" };
  const own = `${folder}.${crypto.randomUUID()}`;
  try {
    await run([base, "-m", "venv", own], "");
    const pip = [join(own, "bin", "python"), "-m", "pip", "install", "--quiet", "--disable-pip-version-check"];
    await run([...pip, ...packages], "", installMs);
    await rename(own, folder);
  } catch (error) {
    await rm(own, { recursive: true, force: true });
    if (await works()) return { path, why: "" };
    const reason = error instanceof Error ? error.message.trim().split("\n").at(-1) : String(error);
    return { path: null, why: ` (skipped: ${packages.join(", ")} could not be installed: ${reason})` };
  }
  return { path, why: "" };
}

/** Runs a script on an input and gives what it wrote; throws with its complaint where it fails. */
export async function runPython(python: Python, args: readonly string[], input: string): Promise<string> {
  if (python.path === null) throw new Error(`REQUIRE_ALL=1 and${python.why}`);
  return run([python.path, ...args], input);
}

/** Whether a test that needs Python is to be left out; with REQUIRE_ALL=1 it fails instead. */
export function lacks(python: Python): boolean {
  return python.path === null && process.env["REQUIRE_ALL"] !== "1";
}

const installMs = 240_000;

async function run(command: readonly string[], input: string, timeout = 90_000): Promise<string> {
  const child = Bun.spawn([...command], { stdin: Buffer.from(input), stdout: "pipe", stderr: "pipe", timeout });
  const [out, err, code] = await Promise.all([
    new Response(child.stdout).text(),
    new Response(child.stderr).text(),
    child.exited,
  ]);
  if (code !== 0) throw new Error(`${command.join(" ")} ended with ${code}: ${err}`);
  return out;
}
