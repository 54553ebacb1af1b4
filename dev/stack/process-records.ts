// One small file per running process, so that a later run can find what a killed run left behind.
import { mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { identify, isAlive, type ProcessIdentity } from "./process-identity.ts";

type ProcessRecord = ProcessIdentity & Readonly<{ name: string; stopSignal: NodeJS.Signals }>;

/** Writes the record of a process just started. Does nothing when it is already gone again. */
export function recordProcess(
  directory: string,
  process: Readonly<{ name: string; pid: number; stopSignal: NodeJS.Signals }>,
): void {
  const identity = identify(process.pid);
  if (identity === undefined) return;
  mkdirSync(directory, { recursive: true });
  const path = join(directory, `${process.name}.json`);
  const record: ProcessRecord = { ...process, ...identity };
  writeFileSync(`${path}.new`, JSON.stringify(record));
  renameSync(`${path}.new`, path); // a reader, or a run killed right here, never sees half a record
}

/** Removes the record of `name` if it is still that of `pid`: a restarted process has put its own in that place. */
export function forgetProcess(directory: string, name: string, pid: number): void {
  if (readRecord(join(directory, `${name}.json`))?.pid === pid)
    rmSync(join(directory, `${name}.json`), { force: true });
}

/**
 * The recorded processes that still live. Records of dead ones, or of a pid that is now another program, are removed.
 */
export function livingProcesses(directory: string): readonly ProcessRecord[] {
  const living: ProcessRecord[] = [];
  for (const file of listJson(directory)) {
    const record = readRecord(join(directory, file));
    if (record !== undefined && isAlive(record)) living.push(record);
    else rmSync(join(directory, file), { force: true });
  }
  return living;
}

function listJson(directory: string): readonly string[] {
  try {
    return readdirSync(directory).filter((file) => file.endsWith(".json"));
  } catch {
    return []; // nothing was ever recorded here
  }
}

function readRecord(path: string): ProcessRecord | undefined {
  try {
    return JSON.parse(readFileSync(path, "utf8")) as ProcessRecord;
  } catch {
    return undefined; // gone or unreadable: nothing that could be acted on
  }
}
