import { completeDocument, type ApiDocument, type DocumentComponents } from "./complete-document.ts";
import { upstreamNames, type Upstream } from "../http/upstreams.ts";

export type ReadDocument = (upstream: Upstream) => Promise<unknown>;

/**
 * One OpenAPI document of everything behind this origin: the gateway's own and that of each role. A role that does not
 * answer is missing from the paths and named in `x-unavailable`. Components of one name and different content get the
 * role's name before theirs.
 */
export async function apiDocument(own: unknown, readDocument: ReadDocument): Promise<ApiDocument> {
  const read = await Promise.all(
    upstreamNames.map(async (role) => ({ role, document: await readDocument(role).catch(() => null) })),
  );
  const unavailable = read.filter(({ document }) => document === null).map(({ role }) => role);
  const documents = read.filter(({ document }) => document !== null);
  const merged = documents.reduce((all, { role, document }) => merge(all, role, document), asDocument(own));
  const complete = completeDocument(merged);
  return unavailable.length === 0 ? complete : { ...complete, "x-unavailable": unavailable };
}

function merge(all: ApiDocument, role: Upstream, other: unknown): ApiDocument {
  const renamed = asDocument(withoutClashes(all.components, role, other));
  const sections = new Set([...Object.keys(all.components), ...Object.keys(renamed.components)]);
  return {
    ...all,
    paths: { ...renamed.paths, ...all.paths },
    webhooks: { ...renamed.webhooks, ...all.webhooks },
    components: Object.fromEntries(
      [...sections].map((section) => [section, { ...renamed.components[section], ...all.components[section] }]),
    ),
  };
}

function withoutClashes(taken: DocumentComponents, role: Upstream, other: unknown): unknown {
  const prefix = role.replaceAll(/(?:^|-)(\w)/g, (_, letter: string) => letter.toUpperCase());
  const clashes = (section: string, name: string, entry: unknown): boolean => {
    const mine = taken[section]?.[name];
    return mine !== undefined && JSON.stringify(mine) !== JSON.stringify(entry);
  };
  let text = JSON.stringify(other);
  const sections = Object.entries(asDocument(other).components);
  for (const [section, entries] of sections)
    for (const [name, entry] of Object.entries(entries))
      if (clashes(section, name, entry))
        text = text.replaceAll(`"#/components/${section}/${name}"`, `"#/components/${section}/${prefix}${name}"`);
  const document = asDocument(JSON.parse(text));
  const components = Object.fromEntries(
    sections.map(([section, before]) => [
      section,
      Object.fromEntries(
        Object.entries(document.components[section] ?? {}).map(([name, entry]) => [
          clashes(section, name, before[name]) ? `${prefix}${name}` : name,
          entry,
        ]),
      ),
    ]),
  );
  return { ...document, components };
}

/** Reads only what is merged; anything else of a document stays as it came. */
function asDocument(value: unknown): ApiDocument {
  const found = isObject(value) ? value : {};
  const components = isObject(found["components"]) ? found["components"] : {};
  return {
    ...found,
    paths: isObject(found["paths"]) ? found["paths"] : {},
    webhooks: isObject(found["webhooks"]) ? found["webhooks"] : {},
    components: Object.fromEntries(
      Object.entries(components).map(([section, entries]) => [section, isObject(entries) ? entries : {}]),
    ),
  };
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
