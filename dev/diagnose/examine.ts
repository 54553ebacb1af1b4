import { accessSync, constants, existsSync, statfsSync } from "node:fs";
import { join } from "node:path";
import { directoriesOf, usualAppPorts, usualPorts } from "../run/directories.ts";
import { readStatus } from "../run/status.ts";
import { askDocker } from "../stack/compose.ts";
import { findJava, listJavas } from "../stack/java.ts";
import { findMaven, mavenVersion } from "../stack/maven-parts.ts";
import { missingThing } from "../stack/missing.ts";
import { chooseStack } from "../stack/open-stack.ts";
import { isFree } from "../stack/ports.ts";
import { postgresBinaries, runsAsRoot } from "../stack/postgres-binaries.ts";
import { partNames, urlVariables } from "../stack/stack.ts";
import { askGiven } from "./ask-given.ts";
import { examineZones } from "./examine-zones.ts";
import type { Finding } from "./finding.ts";

/** Looks at everything `bun run dev` depends on, changing nothing. */
export async function examine(
  checkout: string,
  env: Readonly<Record<string, string | undefined>>,
): Promise<readonly Finding[]> {
  const findings: Finding[] = [
    { state: "good", what: "bun", found: `${Bun.version} (${process.execPath})` },
    writable(checkout),
    disk(checkout),
    examineZones(env["ZONEINFO_DIR"] || null),
  ];
  const status = await readStatus(directoriesOf(checkout).state);
  if (status !== undefined)
    findings.push({ state: "note", what: "dev", found: `is running; its addresses: npx bun run dev status` });
  const choice = attempt("stack", () => chooseStack(env));
  if ("finding" in choice) return [...findings, choice.finding];
  const { kind, why, given } = choice.value;
  findings.push({ state: "good", what: "stack", found: `${kind}, because ${why}` });
  for (const part of partNames) {
    const url = given[part];
    if (url !== undefined) findings.push(...(await askGiven(part, urlVariables[part], url)));
  }
  if (kind === "embedded") findings.push(...embedded(checkout, given));
  if (kind !== "compose") {
    const docker = askDocker();
    findings.push({ state: "note", what: "docker", found: "version" in docker ? docker.version : docker.reason });
  }
  if (status === undefined) findings.push(...(await ports(kind === "external" ? {} : usualPorts, env)));
  return findings;
}

function embedded(checkout: string, given: ReturnType<typeof chooseStack>["given"]): readonly Finding[] {
  const findings: Finding[] = [];
  const check = (what: string, found: () => string): void => {
    const result = attempt(what, found);
    findings.push("finding" in result ? result.finding : { state: "good", what, found: result.value });
  };
  if (given.postgres === undefined) check("postgres", () => postgresBinaries(checkout));
  const needsJava = given.kafka === undefined || given.registry === undefined;
  const redisOnPath = Bun.which("redis-server") ?? Bun.which("valkey-server");
  if (needsJava) {
    check("java", () => {
      const java = findJava();
      const others = listJavas().length - 1;
      return `${java.major} in ${java.home} (${java.foundIn}${others > 0 ? `; the newest of ${others + 1}` : ""})`;
    });
  }
  if (needsJava || (given.redis === undefined && redisOnPath === null))
    check("maven", () => `${mavenVersion() ?? "unknown version"} (${findMaven()})`);
  if (given.redis === undefined)
    findings.push({ state: "good", what: "redis", found: redisOnPath ?? "the one among the Maven artefacts" });
  if (runsAsRoot()) findings.push({ state: "note", what: "user", found: "root; Postgres will run as nobody" });
  return findings;
}

async function ports(
  stack: Readonly<Record<string, number>>,
  env: Readonly<Record<string, string | undefined>>,
): Promise<readonly Finding[]> {
  const taken: string[] = [];
  const app = Number(env["PORT"] ?? usualAppPorts[0]);
  for (const [name, port] of Object.entries({ app, ...stack }))
    if (!(await isFree(port))) taken.push(`${port} (${name})`);
  if (taken.length === 0) return [{ state: "good", what: "ports", found: "the usual ones are free" }];
  return [
    {
      state: "note",
      what: "ports",
      found: `taken: ${taken.join(", ")}; dev will use the next free ones and say which`,
    },
  ];
}

function writable(checkout: string): Finding {
  const path = existsSync(join(checkout, ".dev")) ? join(checkout, ".dev") : checkout;
  try {
    accessSync(path, constants.W_OK);
    return { state: "good", what: "checkout", found: checkout };
  } catch {
    return {
      state: "bad",
      what: "checkout",
      found: `${path} cannot be written to`,
      how: `sudo chown -R $(id -u) ${path}`,
    };
  }
}

function disk(checkout: string): Finding {
  const { bavail, bsize } = statfsSync(checkout);
  const gigabytes = (bavail * bsize) / 1e9;
  const found = `${gigabytes.toFixed(1)} GB free`;
  if (gigabytes >= 2) return { state: "good", what: "disk", found };
  return {
    state: gigabytes < 0.8 ? "bad" : "note",
    what: "disk",
    found,
    how: "the stack needs about 1 GB, downloads included",
  };
}

type ExaminationResult<T> = Readonly<{ value: T }> | Readonly<{ finding: Finding }>;

/** What is missing becomes a finding with the words the error carries. */
function attempt<T>(what: string, act: () => T): ExaminationResult<T> {
  try {
    return { value: act() };
  } catch (error) {
    const thing = missingThing(error);
    const found =
      thing === undefined ? (error instanceof Error ? error.message : String(error)) : `${thing.what}: ${thing.why}`;
    return { finding: { state: "bad", what, found, ...(thing === undefined ? {} : { how: thing.how }) } };
  }
}
