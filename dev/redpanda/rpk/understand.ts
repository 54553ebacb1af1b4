import { readFileSync } from "node:fs";
import { join } from "node:path";
import { properties } from "../broker/properties.ts";

type RpkOptions = ReadonlyMap<string, string>;

const rows = readFileSync(join(import.meta.dirname, "commands.tsv"), "utf8")
  .split("\n")
  .filter((line) => line !== "" && !line.startsWith("#"))
  .map((line) => {
    const [command = "", ...flags] = line.split("\t");
    return [command, optionsOf(flags)] as const;
  });
const commands = new Map(rows);
const everywhere = commands.get("") ?? new Map<string, string>();

/**
 * Seastar's and rpk's own options of `rpk redpanda start`, which rpk hides from its help:
 * src/go/rpk/pkg/cli/redpanda/start.go.
 */
const hidden = optionsOf(
  "memory lock-memory:bool reserve-memory hugepages cpuset io-properties-file io-properties smp thread-affinity:bool num-io-queues max-io-requests mbind:bool overprovisioned:bool unsafe-bypass-fsync:bool node-id set default-log-level logger-log-level"
    .split(" ")
    .map((option) => (option.includes(":") ? option : `${option}:string`)),
);
const topicProperties = new Set(properties.filter(({ scope }) => scope === "topic").map(({ name }) => name));
const clusterProperties = new Set(properties.filter(({ scope }) => scope === "cluster").map(({ name }) => name));

/** What rpk would not understand of a line, without the word `rpk` before it. */
export function understandRpk(words: readonly string[]): readonly string[] {
  const depth = [4, 3, 2, 1].find((count) => commands.has(words.slice(0, count).join(" ")));
  if (depth === undefined) return [`rpk has no command ${words.slice(0, 2).join(" ")}`];
  const command = words.slice(0, depth).join(" ");
  const rest = words.slice(depth);
  // `rpk redpanda tune` takes names of tuners where others take a command.
  const parent = command !== "redpanda tune" && [...commands.keys()].some((each) => each.startsWith(`${command} `));
  if (parent && rest[0] !== undefined && !rest[0].startsWith("-")) return [`rpk ${command} has no command ${rest[0]}`];
  const { unknown, values, plain } = readOptions(rest, new Map([...everywhere, ...(commands.get(command) ?? [])]));
  return [
    ...unknown.map((option) => `rpk ${command} has no option ${option}`),
    ...unknownProperties(command, values, plain).map((name) => `rpk ${command}: Redpanda has no property ${name}`),
  ];
}

/**
 * What `rpk redpanda start` would not understand. It hands options that it does not know on to Redpanda, which ends
 * over them.
 */
export function understandStart(words: readonly string[]): readonly string[] {
  const { unknown } = readOptions(
    words.slice(2),
    new Map([...everywhere, ...(commands.get("redpanda start") ?? []), ...hidden]),
  );
  return unknown.map((option) => `rpk redpanda start has no option ${option}`);
}

function unknownProperties(command: string, values: OptionValues, plain: readonly string[]): readonly string[] {
  const named = (option: string): readonly string[] =>
    (values.get(option) ?? []).map((value) => value.split(/[=:]/)[0] ?? "");
  if (command === "topic create") return named("topic-config").filter((name) => !topicProperties.has(name));
  if (command === "topic alter-config")
    return [...named("set"), ...named("delete")].filter((name) => !topicProperties.has(name));
  if (command === "cluster config set" || command === "cluster config get")
    return plain
      .slice(0, 1)
      .map((word) => word.split("=")[0] ?? "")
      .filter((name) => !clusterProperties.has(name));
  return [];
}

type OptionValues = ReadonlyMap<string, readonly string[]>;

/**
 * Reads options as rpk's library does: `--name value`, `--name=value`, `-n value`, `-nvalue`; a flag takes no value of
 * its own.
 */
function readOptions(
  words: readonly string[],
  options: RpkOptions,
): Readonly<{ unknown: string[]; values: OptionValues; plain: string[] }> {
  const long = new Map(
    [...options].flatMap(([key, type]) =>
      key.split("/").map((name) => [name, { name: key.split("/")[0] ?? "", type }] as const),
    ),
  );
  const unknown: string[] = [];
  const plain: string[] = [];
  const values = new Map<string, readonly string[]>();
  for (let place = 0; place < words.length; place++) {
    const word = words[place] ?? "";
    const [, dashes = "", body = ""] = /^(--?)(.+)$/.exec(word) ?? [];
    if (dashes === "") {
      plain.push(word);
      continue;
    }
    const [written = "", ...after] =
      dashes === "--" ? body.split("=") : [body.slice(0, 1), ...(body.length > 1 ? [body.slice(1)] : [])];
    const option = long.get(written);
    if (option === undefined && written !== "help") unknown.push(`${dashes}${written}`);
    if (option === undefined || option.type === "bool") continue;
    const value = after.length > 0 ? after.join("=") : (words[++place] ?? "");
    values.set(option.name, [...(values.get(option.name) ?? []), value]);
  }
  return { unknown, values, plain };
}

function optionsOf(flags: readonly string[]): RpkOptions {
  return new Map(
    flags.map((flag) => [flag.slice(0, flag.lastIndexOf(":")), flag.slice(flag.lastIndexOf(":") + 1)] as const),
  );
}
