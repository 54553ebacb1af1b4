import { expect, test } from "bun:test";
import { join } from "node:path";
import { readRedpandaFiles, readYaml, type RedpandaFiles } from "../../../dev/redpanda/files.ts";
import { overlays } from "../../../dev/redpanda/kubernetes/examine-kubernetes.ts";
import { isKubeObject, type KubeObject } from "../../../dev/redpanda/kubernetes/object.ts";
import { renderOverlay } from "../../../dev/redpanda/kubernetes/render-overlay.ts";

const checkout = join(import.meta.dir, "../../..");
const files = readRedpandaFiles(checkout);

/** In kustomize's order of objects, which is not ours, and without the hash it puts after a generated name. */
function comparable(objects: readonly KubeObject[]): unknown {
  const text = JSON.stringify(objects).replaceAll(/"settings-[a-z0-9]{10}"/g, '"settings"');
  const plain: KubeObject[] = JSON.parse(text);
  return plain.toSorted((a, b) => (keyOf(a) < keyOf(b) ? -1 : 1));
}
const keyOf = ({ kind, metadata }: KubeObject) => `${kind} ${metadata.name}`;

/** The command line that prints what a folder is built to, where this machine has one. */
const kustomize = Bun.which("kustomize")
  ? ["kustomize", "build"]
  : Bun.which("kubectl")
    ? ["kubectl", "kustomize"]
    : null;

test.skipIf(kustomize === null)(
  "overlays are built here as kustomize builds them",
  () => {
    for (const folder of overlays) {
      const { stdout, stderr, exitCode } = Bun.spawnSync([...(kustomize ?? []), join(checkout, "redpanda", folder)]);
      expect([folder, exitCode, exitCode === 0 ? "" : stderr.toString()]).toEqual([folder, 0, ""]);
      const built = readYaml(stdout.toString()).filter(isKubeObject);
      expect(built.length).toBeGreaterThan(20);
      expect(comparable(renderOverlay(files, folder))).toEqual(comparable(built));
    }
  },
  60_000,
);

const world = (kustomization: string, others: Readonly<Record<string, string>> = {}): RedpandaFiles =>
  new Map(Object.entries({ "x/kustomization.yaml": kustomization, "x/a.yaml": a, ...others }));
const a = "apiVersion: v1\nkind: Service\nmetadata: {name: a}\nspec: {ports: [{port: 1}], selector: {app: a}}\n";

test("what kustomize would refuse, or do otherwise than here, is refused with its place", () => {
  const refused: readonly (readonly [
    kustomization: string,
    says: RegExp,
    others?: Readonly<Record<string, string>>,
  ])[] = [
    ["resources: [b.yaml]", /there is no file x\/b\.yaml/],
    ["resources: [a.yaml]\nnamePrefix: p-", /no field namePrefix/],
    ["resources: [a.yaml]\nresources: [a.yaml]", /unique/],
    [
      "resources: [a.yaml]\npatches: [{path: p.yaml}]",
      /patches Service b, which is not there/,
      { "x/p.yaml": a.replace("name: a", "name: b") },
    ],
    ["resources: [a.yaml]\npatches: [{path: a.yaml, target: {kinds: Service}}]", /no field kinds/],
    [
      "resources: [a.yaml]\nconfigMapGenerator: [{name: c, behavior: merge, literals: [A=1]}]",
      /not there to be merged/,
    ],
  ];
  for (const [kustomization, says, others] of refused)
    expect(() => renderOverlay(world(kustomization, others), "x")).toThrow(says);
  expect(renderOverlay(world("resources: [a.yaml]\nnamespace: n"), "x")[0]?.metadata.namespace).toBe("n");
});
