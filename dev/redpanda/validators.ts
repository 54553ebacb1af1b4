import { examineBroker } from "./broker/examine-broker.ts";
import { examineCompose } from "./compose/examine-compose.ts";
import { examineConsole } from "./console/examine-console.ts";
import type { RedpandaFiles } from "./files.ts";
import { examineDockerfile } from "./image/examine-dockerfile.ts";
import { examineKubernetes } from "./kubernetes/examine-kubernetes.ts";
import { examineMonitoring } from "./monitoring/examine-monitoring.ts";
import { examinePages } from "./pages/examine-pages.ts";

/** Says what is wrong with the files it knows, one line each, beginning with the file; nothing when all is well. */
type Validator = Readonly<{
  name: string;
  /** The files it answers for, by their path below redpanda/. */
  covers: RegExp;
  examine: (files: RedpandaFiles) => readonly string[] | Promise<readonly string[]>;
}>;

/** Who looks at which files of redpanda/; `bun run check` asks all of them. */
export const validators: readonly Validator[] = [
  { name: "compose", covers: /(^|\/)compose\.yaml$/, examine: examineCompose },
  { name: "Redpanda", covers: /(^|\/)(redpanda|bootstrap)\.yaml$/, examine: examineBroker },
  { name: "Console", covers: /(^|\/)console\.yaml$/, examine: examineConsole },
  { name: "monitoring", covers: /^monitoring\/.*\.(yml|json)$/, examine: examineMonitoring },
  { name: "Kubernetes", covers: /^kubernetes\/.*\.(yaml|env)$/, examine: (files) => examineKubernetes(files) },
  { name: "Dockerfile", covers: /^Dockerfile(\.dockerignore)?$/, examine: examineDockerfile },
  { name: "pages", covers: /\.md$/, examine: examinePages },
];

/** Files that others read, and why nobody here looks at them. */
export const readElsewhere: Readonly<Record<string, string>> = {
  "start.ts": "the entry point of the image, checked as all code is",
  "embedded/pom.xml": "Maven reads it whenever the embedded stack is brought in",
};
