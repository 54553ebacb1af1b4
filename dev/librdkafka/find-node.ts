import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { missingError } from "../stack/missing.ts";

/**
 * Node 24 as npm's package of it for this platform has it: the program, and the headers its modules are compiled with.
 */
export type NodeHere = Readonly<{ program: string; headers: string; version: string }>;

/** Throws what is missing, why it is needed and how to get it. */
export function findNode(checkout: string): NodeHere {
  const name = `node-${process.platform}-${process.arch}`;
  const names = [name, `node-bin-${process.platform}-${process.arch}`];
  const folder = names
    .map((one) => join(checkout, "node_modules", one))
    .find((one) => existsSync(join(one, "bin", "node")));
  if (folder === undefined)
    throw missingError({
      what: "Node 24",
      why: `roles with KAFKA_DRIVER=librdkafka run under it; npm's package ${name} is not in node_modules`,
      how: "npx bun install, on a platform that package is made for · or Node 24 from nodejs.org, run by hand",
    });
  const { version }: { version: string } = JSON.parse(readFileSync(join(folder, "package.json"), "utf8"));
  return { program: join(folder, "bin", "node"), headers: join(folder, "include", "node"), version };
}
