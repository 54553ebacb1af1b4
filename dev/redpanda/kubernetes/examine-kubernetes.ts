import { readFileSync } from "node:fs";
import { join } from "node:path";
import { roleNames } from "../../../shared/messages/topics.ts";
import { checkout } from "../../installed.ts";
import { readYaml, type RedpandaFiles } from "../files.ts";
import { examineMonitors } from "./examine-monitors.ts";
import { examineNetwork } from "./examine-network.ts";
import { examineObject } from "./examine-object.ts";
import { examineReferences, type Secrets } from "./examine-references.ts";
import { examineAddresses, examineRoles, type RoleFacts } from "./examine-roles.ts";
import { examineScaling } from "./examine-scaling.ts";
import { examineStores, operatorSecrets } from "./examine-stores.ts";
import { isKubeObject, textsAt, type KubeObject } from "./object.ts";
import { readRoleSettings } from "./role-settings.ts";
import { renderOverlay } from "./render-overlay.ts";

/** Every folder that people apply. */
export const overlays = ["kubernetes/overlays/small", "kubernetes/overlays/production"] as const;

/**
 * Holds what each overlay is built to against the schemas of Kubernetes and of the operators, its objects against one
 * another, and all of it against what the roles read and do.
 */
export async function examineKubernetes(
  files: RedpandaFiles,
  folders: readonly string[] = overlays,
): Promise<readonly string[]> {
  const facts = await readFacts(files);
  const complaints = await Promise.all(folders.map((folder) => examineFolder(files, folder, facts)));
  return complaints.flat();
}

async function examineFolder(files: RedpandaFiles, folder: string, facts: RoleFacts): Promise<readonly string[]> {
  try {
    const objects = renderOverlay(files, folder);
    const secrets = new Map([...facts.secrets, ...operatorSecrets(objects)]);
    const mistakes = [
      ...(await Promise.all(objects.map(examineObject))).flat(),
      ...examineReferences(objects, secrets),
      ...examineFirstStep(objects, facts.secrets),
      ...examineRoles(objects, { ...facts, secrets }),
      ...examineStores(objects, secrets),
      ...examineAddresses(objects),
      ...examineMonitors(objects, files),
      ...examineScaling(objects, { files, secrets }),
      ...examineNetwork(objects, facts.settings),
    ];
    return mistakes.map((mistake) => `${folder}: ${mistake}`);
  } catch (error) {
    return [error instanceof Error ? error.message : String(error)];
  }
}

/** What is applied before the rest, by its label, must find all it names among itself. */
function examineFirstStep(objects: readonly KubeObject[], brought: Secrets): readonly string[] {
  const first = objects.filter(({ metadata }) => metadata.labels?.["taskwire.dev/step"] === "first");
  const mistakes = examineReferences(first, new Map([...brought, ...operatorSecrets(first)]));
  return mistakes.map((mistake) => `in the first step: ${mistake}`);
}

async function readFacts(files: RedpandaFiles): Promise<RoleFacts> {
  const documented = readFileSync(join(checkout, ".env.example"), "utf8").matchAll(/^#([A-Z][A-Z0-9_]+)=/gm);
  const settings = await Promise.all(roleNames.map(async (role) => [role, await readRoleSettings(role)] as const));
  return {
    settings: new Map(settings),
    documented: new Set([...documented].map(([, name = ""]) => name)),
    secrets: new Map(broughtSecrets(files)),
  };
}

function broughtSecrets(files: RedpandaFiles): readonly (readonly [string, ReadonlySet<string>])[] {
  return readYaml(files.get("kubernetes/secrets.example.yaml") ?? "")
    .filter(isKubeObject)
    .map((secret) => [secret.metadata.name, new Set(Object.keys(textsAt(secret, "stringData")))]);
}
