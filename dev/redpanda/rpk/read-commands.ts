// Makes commands.tsv of the description of rpk that Redpanda publishes with its documentation:
//
//   bun dev/redpanda/rpk/read-commands.ts rpk-v26.1.12.json
//
// The file is in the folder docs-data of github.com/redpanda-data/docs.
import { basename, join } from "node:path";

type Flag = Readonly<{ name: string; shorthand?: string; type: string }>;
type RpkCommand = Readonly<{ name: string; flags?: readonly Flag[]; commands?: readonly RpkCommand[] }>;

// What deals with a cluster of one's own. The rest is of the cloud, of Redpanda Connect and of plugins.
const kept = new Set([
  "cluster",
  "debug",
  "generate",
  "group",
  "iotune",
  "profile",
  "redpanda",
  "registry",
  "security",
  "topic",
  "version",
]);

const [file = ""] = process.argv.slice(2);
const { tree } = (await Bun.file(file).json()) as { tree: RpkCommand & Readonly<{ global_flags: readonly Flag[] }> };
const rows = [
  line("", tree.global_flags),
  ...(tree.commands ?? []).filter(({ name }) => kept.has(name)).flatMap((command) => walk(command, [])),
];
const head = [
  `# The commands of rpk, from ${basename(file)}, with their options: long name, short name where there is one, type`,
  "# Made by read-commands.ts; do not edit. The first line has the options that every command takes.",
];
await Bun.write(join(import.meta.dirname, "commands.tsv"), [...head, ...rows, ""].join("\n"));
console.log(`${rows.length - 1} commands`);

function walk({ name, flags = [], commands = [] }: RpkCommand, above: readonly string[]): readonly string[] {
  const path = [...above, name];
  return [line(path.join(" "), flags), ...commands.flatMap((command) => walk(command, path))];
}

function line(command: string, flags: readonly Flag[]): string {
  return [
    command,
    ...flags.map(({ name, shorthand, type }) => `${name}${shorthand ? `/${shorthand}` : ""}:${type}`),
  ].join("\t");
}
