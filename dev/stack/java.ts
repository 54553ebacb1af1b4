import { spawnSync } from "node:child_process";
import { existsSync, readdirSync, readFileSync, realpathSync } from "node:fs";
import { delimiter, dirname, join } from "node:path";
import { missingError } from "./missing.ts";

export type Java = Readonly<{ home: string; binary: string; major: number; foundIn: string }>;

/** The registry needs 21; Kafka would do with 17. */
export const javaNeeded = 21;

const jvmFolders = [
  "/usr/lib/jvm",
  "/usr/java",
  "/opt",
  "/opt/java",
  "/opt/homebrew/opt",
  "/usr/local/opt",
  "/Library/Java/JavaVirtualMachines",
];
const userFolders = [
  ".sdkman/candidates/java",
  ".jdks",
  ".local/share/mise/installs/java",
  ".asdf/installs/java",
  "Library/Java/JavaVirtualMachines",
];

/** Every Java found in JAVA_HOME, on PATH and in the usual folders, newest first. */
export function listJavas(env: Readonly<Record<string, string | undefined>> = process.env): readonly Java[] {
  const found = new Map<string, Java>();
  for (const [home, foundIn] of candidates(env)) {
    const binary = join(home, "bin", "java");
    if (!existsSync(binary)) continue;
    const real = realpathSync(home);
    const major = found.has(real) ? undefined : majorVersion(home, binary);
    if (major !== undefined) found.set(real, { home: real, binary: join(real, "bin", "java"), major, foundIn });
  }
  return [...found.values()].sort((a, b) => b.major - a.major);
}

/** The newest Java that fits. Throws `Missing` with what was found instead and how to get one. */
export function findJava(env: Readonly<Record<string, string | undefined>> = process.env): Java {
  const all = listJavas(env);
  const newest = all[0];
  if (newest !== undefined && newest.major >= javaNeeded) return newest;
  const seen = all.map((java) => `Java ${java.major} in ${java.home}`).join(", ") || "no Java at all";
  throw missingError({
    what: `Java ${javaNeeded} or newer`,
    why: `the embedded Kafka and schema registry run on it; found ${seen} (looked in JAVA_HOME, PATH and ${jvmFolders[0]})`,
    how: "Debian/Ubuntu: apt-get install openjdk-21-jre-headless · macOS: brew install openjdk · or set JAVA_HOME · or start Docker · or set KAFKA_BROKERS and SCHEMA_REGISTRY_URL",
  });
}

function candidates(env: Readonly<Record<string, string | undefined>>): readonly (readonly [string, string])[] {
  const homes: (readonly [string, string])[] = [];
  if (env["JAVA_HOME"]) homes.push([env["JAVA_HOME"], "JAVA_HOME"]);
  for (const folder of (env["PATH"] ?? "").split(delimiter)) {
    const binary = join(folder, "java");
    if (folder !== "" && existsSync(binary)) homes.push([dirname(dirname(realpathSync(binary))), "PATH"]);
  }
  const folders = [...jvmFolders, ...(env["HOME"] ? userFolders.map((folder) => join(env["HOME"] ?? "", folder)) : [])];
  for (const folder of folders) {
    for (const name of list(folder)) {
      homes.push([join(folder, name), folder], [join(folder, name, "Contents", "Home"), folder]);
      homes.push([join(folder, name, "libexec", "openjdk.jdk", "Contents", "Home"), folder]);
    }
  }
  return homes;
}

/** From the JDK's own `release` file, which needs no process; else from what `java -version` prints. */
function majorVersion(home: string, binary: string): number | undefined {
  const release = join(home, "release");
  const text = existsSync(release) ? readFileSync(release, "utf8") : "";
  const version =
    /^JAVA_VERSION="([^"]+)"/m.exec(text)?.[1] ??
    /version "([^"]+)"/.exec(spawnSync(binary, ["-version"], { encoding: "utf8", timeout: 10_000 }).stderr ?? "")?.[1];
  if (version === undefined) return undefined;
  const [first, second] = version.split(".");
  const major = Number.parseInt(first === "1" ? (second ?? "") : (first ?? ""), 10);
  return Number.isNaN(major) ? undefined : major;
}

function list(folder: string): readonly string[] {
  try {
    return readdirSync(folder);
  } catch {
    return []; // most machines have only some of these folders
  }
}
