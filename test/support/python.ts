import { mkdir } from "node:fs/promises";
import { join } from "node:path";

/** What the tests read our work back with: implementations by others. */
const packages = ["fastavro==1.13.1", "python-dateutil==2.9.0.post0", "icalendar==7.3.2"];
const imports = "import fastavro, dateutil, icalendar";

/** `path` is `null` where there is none; `why` then says what is missing, to be put into a test's title. */
export type Python = Readonly<{ path: string | null; why: string }>;

/** Python with the packages above, in an environment of this checkout that is made once. */
export async function findPython(): Promise<Python> {
  const folder = join(import.meta.dir, "../..", ".dev", "python");
  const path = join(folder, "bin", "python");
  const works = (command: readonly string[]) =>
    run(command, "")
      .then(() => true)
      .catch(() => false);
  if (await works([path, "-c", imports])) return { path, why: "" };
  const base = Bun.which("python3");
  if (base === null) return { path: null, why: " (skipped: there is no python3)" };
  try {
    await mkdir(join(folder, ".."), { recursive: true });
    if (!(await works([path, "-m", "pip", "--version"]))) await run([base, "-m", "venv", "--clear", folder], "");
    await run([path, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", ...packages], "");
  } catch (error) {
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

async function run(command: readonly string[], input: string): Promise<string> {
  const child = Bun.spawn([...command], { stdin: Buffer.from(input), stdout: "pipe", stderr: "pipe", timeout: 90_000 });
  const [out, err, code] = await Promise.all([
    new Response(child.stdout).text(),
    new Response(child.stderr).text(),
    child.exited,
  ]);
  if (code !== 0) throw new Error(`${command.join(" ")} ended with ${code}: ${err}`);
  return out;
}
