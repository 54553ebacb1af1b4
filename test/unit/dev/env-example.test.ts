import { expect, test } from "bun:test";
import { join } from "node:path";

const root = join(import.meta.dir, "../../..");

/** Names of settings, from the calls that make them: `integer("PORT", …)`. */
async function readSettingNames(): Promise<ReadonlySet<string>> {
  const names = new Set<string>();
  for (const folder of ["shared", "workers"]) {
    for (const file of new Bun.Glob("**/*.ts").scanSync({ cwd: join(root, folder), absolute: true })) {
      const source = await Bun.file(file).text();
      const calls =
        /\b(?:text|optional|optionalInteger|optionalOneOf|optionalUrl|integer|flag|oneOf|url|urlList|brokerList|address)(?:<[^>()]*>)?\(\s*"([A-Z][A-Z0-9_]+)"|^  name: "([A-Z][A-Z0-9_]+)",$/gm;
      for (const [, called, written] of source.matchAll(calls)) names.add(called ?? written ?? "");
    }
  }
  return names;
}

test(".env.example names every setting that a role reads, once, and no other", async () => {
  const text = await Bun.file(join(root, ".env.example")).text();
  const named = [...text.matchAll(/^#([A-Z][A-Z0-9_]+)=/gm)].map(([, name = ""]) => name);
  const read = await readSettingNames();
  expect(read.size).toBeGreaterThan(20); // the scan sees settings at all
  expect(text).not.toMatch(/^[A-Z]/m); // copied as it is it changes nothing
  expect(named).toEqual([...new Set(named)]);
  // Read by the runner alone, which is not made of roles.
  expect(named.filter((name) => !read.has(name))).toEqual(["NODE_ROLES", "DEV_STACK"]);
  expect([...read].filter((name) => !named.includes(name))).toEqual([]);
});
