import { latin1Text } from "../bytes.ts";
import { bundledZones } from "./bundled-zones.ts";
import type { ZoneData } from "./zone-data.ts";
import { readZoneDirectory } from "./zone-directory.ts";

/** `passedOver`: the edition of a directory that is older than the bundled one. */
export type ChosenZones = Readonly<{ data: ZoneData; passedOver: string | null }>;

/**
 * The newer of a directory's edition and the bundled one; the directory's where both are one edition, the bundled one
 * where `directory` is `null`. Names that the directory lacks (Debian has old ones in a package of their own) are
 * answered by a name the bundled data gives the same clocks, if the directory has that, else by the bundled data.
 * Throws what `readZoneDirectory` throws.
 */
export function chooseZones(directory: string | null): ChosenZones {
  const bundled = bundledZones();
  if (directory === null) return { data: bundled, passedOver: null };
  const data = readZoneDirectory(directory);
  if (data.version < bundled.version) return { data: bundled, passedOver: data.version };
  return { data: completed(data, bundled), passedOver: null };
}

function completed(data: ZoneData, bundled: ZoneData): ZoneData {
  const has = new Set(data.names);
  const missing = bundled.names.filter((name) => !has.has(name));
  if (missing.length === 0) return data;
  const keyOf = (name: string) => latin1Text(bundled.bytesOf(name) ?? new Uint8Array());
  const sameClocks = new Map(data.names.map((name) => [keyOf(name), name]));
  const added = new Map(
    missing.map((name) => [name, data.bytesOf(sameClocks.get(keyOf(name)) ?? "") ?? bundled.bytesOf(name)]),
  );
  const names = [...data.names, ...missing].sort();
  return { ...data, names, bytesOf: (name) => data.bytesOf(name) ?? added.get(name) };
}
