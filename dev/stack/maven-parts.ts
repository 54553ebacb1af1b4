import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import {
  accessSync,
  chmodSync,
  constants,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
} from "node:fs";
import { homedir } from "node:os";
import { dirname, join } from "node:path";
import { findJava } from "./java.ts";
import { missingError } from "./missing.ts";
import { identify } from "./process-identity.ts";
import { runCommand } from "./run-command.ts";

/**
 * Folders filled by `redpanda/embedded/pom.xml`: Kafka's jars, the unpacked registry, the Redis servers;
 * and one where Java keeps class-data archives, written at a clean exit, which make the next start quicker.
 */
type MavenParts = Readonly<{ kafka: string; registry: string; redis: string; archives: string }>;

/**
 * The Java parts, downloaded on first use (about 220 MB) into `<directory>/java-<hash of the pom>`. The folder appears
 * in one rename when complete, so an interrupted run leaves nothing that looks finished, and two runs may race.
 */
export async function fetchMavenParts({
  checkout,
  directory,
  say,
  signal,
  recordsDirectory,
}: FetchOptions & Readonly<{ checkout: string; directory: string }>): Promise<MavenParts> {
  const pom = join(checkout, "redpanda", "embedded", "pom.xml");
  const complete = join(directory, `java-${createHash("sha256").update(readFileSync(pom)).digest("hex").slice(0, 12)}`);
  if (!existsSync(complete)) {
    mkdirSync(directory, { recursive: true });
    removeAbandoned(directory);
    const unfinished = join(directory, `unfinished-${process.pid}`);
    rmSync(unfinished, { recursive: true, force: true });
    await runMaven({ pom, into: unfinished, say, signal, recordsDirectory });
    for (const server of readdirSync(join(unfinished, "redis"))) chmodSync(join(unfinished, "redis", server), 0o755);
    moveIntoPlace(unfinished, complete);
  }
  const folder = (name: string): string => join(complete, name);
  return { kafka: folder("kafka"), registry: folder("registry"), redis: folder("redis"), archives: folder("markers") };
}

/** Path of `mvn`. Throws what is missing, why it is needed and how to get it. */
export function findMaven(): string {
  const path = Bun.which("mvn");
  if (path !== null) return path;
  throw missingError({
    what: "Maven (mvn)",
    why: "without Docker, Kafka, the schema registry and Redis are fetched as Maven artefacts; no mvn is on PATH",
    how: "Debian/Ubuntu: apt-get install maven · macOS: brew install maven · or start Docker",
  });
}

type FetchOptions = Readonly<{
  say: (line: string) => void;
  recordsDirectory: string;
  signal?: AbortSignal | undefined;
}>;

async function runMaven({
  pom,
  into,
  say,
  signal,
  recordsDirectory,
}: FetchOptions & Readonly<{ pom: string; into: string }>): Promise<void> {
  const mvn = findMaven();
  const java = findJava();
  say(`fetching Kafka, the schema registry and Redis with Maven (once, about 220 MB; ${mvn}, Java ${java.major})`);
  const lines: string[] = [];
  let files = 0;
  let current = "starting";
  const onLine = (line: string): void => {
    if (line.includes("Downloaded from")) files += 1;
    else if (line.includes("Downloading from")) current = line.slice(line.lastIndexOf("/") + 1);
    else if (line.includes("Expanding")) current = "unpacking";
    else if (line.trim() !== "") lines.push(line);
  };
  const began = performance.now();
  const ticker = setInterval(() => {
    const seconds = Math.round((performance.now() - began) / 1000);
    say(`  ${seconds} s · ${files} files fetched · ${current}${partSize()}`);
  }, 3_000);
  const { ended } = await runCommand({
    command: [mvn, "-B", "-f", pom, `-Dparts=${into}`, "process-resources"],
    cwd: dirname(pom),
    env: { ...process.env, JAVA_HOME: java.home, MAVEN_OPTS: mavenOptions(process.env) },
    signal,
    onLine,
    record: { name: "maven", directory: recordsDirectory },
  });
  clearInterval(ticker);
  if (ended === 0) return;
  rmSync(into, { recursive: true, force: true });
  const why =
    lines
      .filter((line) => line.includes("ERROR"))
      .slice(0, 6)
      .join("\n  ") || lines.slice(-6).join("\n  ");
  throw new Error(
    `Maven could not fetch the embedded stack (${ended}); run again, what is already there is kept.\n  ${why}`,
  );
}

/**
 * MAVEN_OPTS with the home that HOME names: Java asks the password file instead, which for some users names a folder
 * that does not exist, and then nothing can be fetched. What the user put into MAVEN_OPTS wins; the shell script that
 * reads it splits at spaces.
 */
export function mavenOptions(env: Readonly<Record<string, string | undefined>>): string {
  const { HOME: home = "", MAVEN_OPTS: given = "" } = env;
  return home === "" || /\s/.test(home) || !isWritable(home) ? given : `-Duser.home=${home} ${given}`.trim();
}

function isWritable(folder: string): boolean {
  try {
    accessSync(folder, constants.W_OK);
    return true;
  } catch {
    return false;
  }
}

/** How much of the one large archive is there, while Maven itself is silent about it. */
function partSize(): string {
  const folder = join(homedir(), ".m2", "repository", "io", "apicurio", "apicurio-registry-app", "3.3.3");
  try {
    const bytes = readdirSync(folder).reduce((sum, file) => sum + statSync(join(folder, file)).size, 0);
    return bytes > 1_000_000 ? ` · registry ${Math.round(bytes / 1_000_000)} of 159 MB` : "";
  } catch {
    return ""; // another local repository is configured: then without the figure
  }
}

function removeAbandoned(directory: string): void {
  for (const name of readdirSync(directory)) {
    const pid = Number(/^unfinished-(\d+)$/.exec(name)?.[1] ?? Number.NaN);
    if (Number.isInteger(pid) && identify(pid) === undefined)
      rmSync(join(directory, name), { recursive: true, force: true });
  }
}

function moveIntoPlace(from: string, to: string): void {
  try {
    renameSync(from, to);
  } catch (error) {
    if (!existsSync(to)) throw error;
    rmSync(from, { recursive: true, force: true }); // another run finished first with the same content
  }
}

/** What `doctor` prints about Maven; undefined when there is none. */
export function mavenVersion(): string | undefined {
  const path = Bun.which("mvn");
  if (path === null) return undefined;
  const { stdout } = spawnSync(path, ["-v"], { encoding: "utf8", timeout: 30_000 });
  return /Apache Maven ([\d.]+)/.exec(stdout ?? "")?.[1] ?? "unknown version";
}
