import { createHash } from "node:crypto";
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { missingError } from "../stack/missing.ts";
import { identify } from "../stack/process-identity.ts";
import { runCommand } from "../stack/run-command.ts";
import { findNode, type NodeHere } from "./find-node.ts";

type ProvideOptions = Readonly<{
  checkout: string;
  /** Where the binary is kept for later runs. */
  partsDirectory: string;
  say: (line: string) => void;
  signal?: AbortSignal | undefined;
}>;

const binary = "confluent-kafka-javascript.node";
const downloadMs = 60_000;

/**
 * Puts the binary of @confluentinc/kafka-javascript where the package looks for it: the one kept from an earlier run,
 * the prebuilt one that its makers offer for download, or one compiled from the package's own sources, which takes two
 * minutes of CPU. Of several processes at once one works and the others wait. Throws what is missing where none can be
 * had.
 */
export async function provideRdKafka(options: ProvideOptions): Promise<NodeHere> {
  const node = findNode(options.checkout);
  const folder = packageFolder(options.checkout);
  const place = join(folder, "build", "Release", binary);
  const kept = join(options.partsDirectory, `librdkafka-${keyOf(folder, node)}.node`);
  if (!existsSync(kept)) await withTurn(`${kept}.lock`, options.signal, () => make(options, node, folder, kept));
  if (!existsSync(place) || statSync(place).size !== statSync(kept).size) {
    mkdirSync(join(folder, "build", "Release"), { recursive: true });
    copyFileSync(kept, `${place}.${process.pid}`);
    renameSync(`${place}.${process.pid}`, place);
  }
  return node;
}

/** Whether a binary is there or could be compiled; it may still be to be had by download where not. */
export function canCompile(): boolean {
  return (
    process.platform === "linux" && ["g++", "make", "ar", "strip", "bash"].every((tool) => Bun.which(tool) !== null)
  );
}

function packageFolder(checkout: string): string {
  const folder = join(checkout, "node_modules", "@confluentinc", "kafka-javascript");
  if (existsSync(join(folder, "package.json"))) return folder;
  throw missingError({
    what: "@confluentinc/kafka-javascript",
    why: "the second Kafka driver is made of it; it is an optional dependency and not in node_modules",
    how: "npx bun install",
  });
}

/** All that the binary depends on. */
function keyOf(folder: string, node: NodeHere): string {
  const hash = createHash("sha256").update(`${node.version} ${process.platform} ${process.arch}`);
  for (const file of [join(folder, "package.json"), join(import.meta.dirname, "compile.mk")])
    hash.update(readFileSync(file));
  return hash.digest("hex").slice(0, 12);
}

async function make(options: ProvideOptions, node: NodeHere, folder: string, kept: string): Promise<void> {
  if (existsSync(kept)) return; // whoever was first has made it
  if (await download(options, node, folder)) copyFileSync(join(folder, "build", "Release", binary), `${kept}.new`);
  else await compile(options, node, folder, `${kept}.new`);
  renameSync(`${kept}.new`, kept);
}

/** By the package's own installer. Where its host is out of reach that ends at once. */
async function download({ checkout, signal }: ProvideOptions, node: NodeHere, folder: string): Promise<boolean> {
  const installer = join(checkout, "node_modules", "@mapbox", "node-pre-gyp", "bin", "node-pre-gyp");
  if (!existsSync(installer)) return false;
  const patience = AbortSignal.timeout(downloadMs);
  const { ended } = await runCommand({
    command: [node.program, installer, "install"],
    cwd: folder,
    env: process.env,
    signal: signal === undefined ? patience : AbortSignal.any([signal, patience]),
  });
  return ended === 0 && existsSync(join(folder, "build", "Release", binary));
}

async function compile(
  { checkout, say, signal }: ProvideOptions,
  node: NodeHere,
  folder: string,
  to: string,
): Promise<void> {
  if (!canCompile())
    throw missingError({
      what: "the compiled part of @confluentinc/kafka-javascript",
      why: "its prebuilt binary could not be downloaded (github.com), and to compile it takes Linux with g++, make and binutils",
      how: "Debian/Ubuntu: apt-get install g++ make · without it KAFKA_DRIVER=platformatic, the default, does the same work",
    });
  const work = `${to}-${process.pid}`;
  rmSync(work, { recursive: true, force: true });
  mkdirSync(work, { recursive: true });
  say("compiling librdkafka for Node (once, some two minutes of CPU, at low priority)");
  const began = performance.now();
  try {
    const { ended, output } = await runCommand({
      // Beside tests and servers that are waited for.
      command: [
        "nice",
        "-n",
        "5",
        "make",
        "-j2",
        "-s",
        "-f",
        join(import.meta.dirname, "compile.mk"),
        `OUT=${work}`,
        `PACKAGE=${folder}`,
        `NODE=${node.headers}`,
        `NAN=${join(checkout, "node_modules", "nan")}`,
        `INCLUDE=${join(import.meta.dirname, "include")}`,
      ],
      cwd: work,
      env: process.env,
      signal,
    });
    if (ended !== 0)
      throw new Error(`librdkafka could not be compiled (${ended}):\n${output.split("\n").slice(-15).join("\n")}`);
    copyFileSync(join(work, binary), to);
    say(`librdkafka is compiled (${Math.round((performance.now() - began) / 1000)} s)`);
  } finally {
    rmSync(work, { recursive: true, force: true });
  }
}

/** One process at a time; a lock of a process that is gone counts for nothing. */
async function withTurn(lock: string, signal: AbortSignal | undefined, work: () => Promise<void>): Promise<void> {
  mkdirSync(join(lock, ".."), { recursive: true });
  for (;;) {
    signal?.throwIfAborted();
    try {
      writeFileSync(lock, String(process.pid), { flag: "wx" });
      break;
    } catch (error) {
      if (!(error instanceof Error && "code" in error && error.code === "EEXIST")) throw error;
    }
    if (isAbandoned(lock)) rmSync(lock, { force: true });
    else await sleep(500);
  }
  try {
    await work();
  } finally {
    rmSync(lock, { force: true });
  }
}

function isAbandoned(lock: string): boolean {
  try {
    const pid = Number(readFileSync(lock, "utf8"));
    return Number.isInteger(pid) && pid > 0 && identify(pid) === undefined;
  } catch {
    return false; // It was just taken away.
  }
}
