import { existsSync, readFileSync } from "node:fs";
import { join, relative } from "node:path";
import { validate } from "dockerfile-utils";
import { roleNames } from "../../../shared/messages/topics.ts";
import { checkout } from "../../installed.ts";
import type { RedpandaFiles } from "../files.ts";
import { modulesOf } from "../kubernetes/role-settings.ts";
import { readDockerfile, type ImageStage } from "./read-dockerfile.ts";

/**
 * What is wrong with the image: by the grammar of Dockerfiles, by what this one promises (its bytes pinned, not root,
 * no shell), and by the files that its entry point, the roles and the command line import and it would not hold.
 */
export function examineDockerfile(files: RedpandaFiles): readonly string[] {
  const text = files.get("Dockerfile") ?? "";
  const grammar = validate(text).map(({ message, range }) => `line ${range.start.line + 1}: ${message}`);
  const { stages, keywords } = readDockerfile(text);
  const last = stages.at(-1);
  if (last === undefined) return ["Dockerfile: has no stage"];
  const must = (holds: boolean, what: string) => (holds ? [] : [what]);
  return [
    ...grammar,
    ...stages.flatMap(({ base }) =>
      must(/:[^$]*\$\{\w*VERSION\}[\w-]*\$\{\w*DIGEST\}$/.test(base), `${base} has no tag and digest to pin`),
    ),
    ...must(/^[1-9]\d*:[1-9]\d*$/.test(last.user ?? ""), `USER ${last.user} is not a number that is not root's`),
    ...must(last.entrypoint !== null, "ENTRYPOINT is for a shell, which the signals would reach instead of the role"),
    ...must(last.stopSignal === "SIGTERM", "STOPSIGNAL is not the one roles drain at"),
    ...must(
      stages.every(({ steps }) => steps.every((step) => !("run" in step) || step.run !== null)),
      "RUN is for a shell",
    ),
    ...must(!keywords.has("ADD"), "ADD fetches and unpacks: COPY"),
    ...[...copied(stages)].flatMap((path) =>
      must(existsSync(join(checkout, path)), `copies ${path}, which is not there`),
    ),
    ...[...copied(stages)].flatMap((path) =>
      must(
        isLetThrough(path, files.get("Dockerfile.dockerignore") ?? ""),
        `copies ${path}, which Dockerfile.dockerignore keeps out`,
      ),
    ),
    ...forgotten(last),
  ].map((mistake) => `Dockerfile: ${mistake}`);
}

/** Every path of the checkout that some stage copies. */
function copied(stages: readonly ImageStage[]): ReadonlySet<string> {
  return new Set(
    stages.flatMap(({ steps }) =>
      steps.flatMap((step) => ("sources" in step && step.from === null ? step.sources : [])),
    ),
  );
}

/**
 * Whether the last pattern that fits lets the path through; patterns here are names of files and folders, `*` and `**`
 * before a name.
 */
function isLetThrough(path: string, ignore: string): boolean {
  const patterns = ignore.split("\n").filter((line) => line !== "" && !line.startsWith("#"));
  const fits = (pattern: string) =>
    new Bun.Glob(pattern).match(path) || path.startsWith(`${pattern}/`) || pattern === "*";
  return patterns.reduce((isIn, line) => {
    const isException = line.startsWith("!");
    return fits(isException ? line.slice(1) : line) ? isException : isIn;
  }, true);
}

/**
 * Roles do without these where they are missing: the second Kafka driver cannot be loaded by Bun, which the image
 * holds.
 */
const dispensable: readonly string[] = ["@confluentinc/kafka-javascript"];

/**
 * What the roles import and the image does not hold: files that are not copied, packages that are not installed for
 * production.
 */
function forgotten(last: ImageStage): readonly string[] {
  const held = [...copied([last])];
  const manifest: { dependencies: Readonly<Record<string, string>> } = JSON.parse(
    readFileSync(join(checkout, "package.json"), "utf8"),
  );
  const { modules, packages } = (imported ??= readImported());
  return [
    ...modules
      .filter((path) => !held.some((copy) => path === copy || path.startsWith(`${copy}/`)))
      .map((path) => `does not copy ${path}, which is imported`),
    ...packages
      .filter((name) => !(name in manifest.dependencies) && !dispensable.includes(name))
      .map((name) => `does not install ${name}, which is imported and no dependency of production`),
  ];
}

type ImportedModules = Readonly<{ modules: readonly string[]; packages: readonly string[] }>;
let imported: ImportedModules | null = null;

/**
 * Everything that the entry point, the roles and the command line import; read once, it does not change while a check
 * runs.
 */
function readImported(): ImportedModules {
  const entries = [
    "redpanda/start.ts",
    "workers/operator/ops.ts",
    ...roleNames.map((role) => `workers/${role}/main.ts`),
  ];
  const modules = [...new Set(entries.flatMap((entry) => [...modulesOf(join(checkout, entry))]))];
  return {
    modules: modules.map((path) => relative(checkout, path)),
    packages: [...new Set(modules.flatMap(packagesIn))],
  };
}

const transpiler = new Bun.Transpiler({ loader: "ts" });

function packagesIn(module: string): readonly string[] {
  return transpiler
    .scanImports(readFileSync(module, "utf8"))
    .map(({ path }) => path)
    .filter((path) => !/^(\.|node:|bun(:|$))/.test(path))
    .map((path) =>
      path
        .split("/")
        .slice(0, path.startsWith("@") ? 2 : 1)
        .join("/"),
    );
}
