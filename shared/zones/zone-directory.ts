import { readdirSync, readFileSync } from "node:fs";
import { join, sep } from "node:path";
import { isTzif, readTzif } from "./read-tzif.ts";
import { isEdition, type ZoneData } from "./zone-data.ts";

const nameShape = /^[A-Za-z][A-Za-z0-9_+-]*(?:\/[A-Za-z0-9_+-]+){0,2}$/;
/** Names that are no zones: copies of all zones, one with leap seconds; what this machine is set to; and "set me". */
const passedOver = /^(?:posix|right)\/|^(?:posixrules|localtime|Factory)$/;

/**
 * Reads a directory of TZif files such as /usr/share/zoneinfo, whole, so that an update of it while the process runs
 * mixes no editions. Throws an Error that names the directory or the file: missing, without a word on its edition,
 * without zones, or with a file that cannot be read.
 */
export function readZoneDirectory(directory: string): ZoneData {
  listFiles(directory, false);
  // Before all files of what may be any directory are read.
  const version = editionOf(directory);
  const zones = new Map<string, Uint8Array>();
  for (const path of listFiles(directory, true)) {
    const name = path.replaceAll(sep, "/");
    if (!nameShape.test(name) || passedOver.test(name)) continue;
    const bytes = readFile(join(directory, path));
    if (bytes === null || !isTzif(bytes)) continue;
    try {
      readTzif(bytes);
    } catch (error) {
      throw new Error(`${join(directory, path)} ${error instanceof Error ? error.message : String(error)}`, {
        cause: error,
      });
    }
    zones.set(name, bytes);
  }
  if (!zones.has("UTC") && !zones.has("Etc/UTC")) throw new Error(`${directory} has no TZif file of UTC`);
  const names = [...zones.keys()].sort();
  return { version, source: directory, names, bytesOf: (name) => zones.get(name) };
}

function listFiles(directory: string, recursive: boolean): readonly string[] {
  try {
    return readdirSync(directory, { recursive, encoding: "utf8" });
  } catch (error) {
    throw new Error(`${directory} cannot be read: ${error instanceof Error ? error.message : String(error)}`, {
      cause: error,
    });
  }
}

/** `null` for a directory. */
function readFile(path: string): Uint8Array | null {
  try {
    return readFileSync(path);
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "EISDIR") return null;
    throw new Error(`${path} cannot be read: ${error instanceof Error ? error.message : String(error)}`, {
      cause: error,
    });
  }
}

/** Debian, Fedora and Python say it in the first line of tzdata.zi, BSD and macOS in +VERSION. */
function editionOf(directory: string): string {
  const told = ["tzdata.zi", "+VERSION"].map((file) => firstLine(join(directory, file)).replace(/^# version /, ""));
  const edition = told.find(isEdition);
  if (edition === undefined) throw new Error(`${directory} does not say its edition: its tzdata.zi or +VERSION would`);
  return edition;
}

function firstLine(path: string): string {
  try {
    return readFileSync(path, "utf8").split("\n", 1)[0]?.trim() ?? "";
  } catch {
    return ""; // Not there: the other one is asked.
  }
}
