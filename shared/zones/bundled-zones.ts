import { gunzipSync } from "fflate";
import { base64Bytes, utf8Text } from "../bytes.ts";
import { packedZones } from "./iana.ts";
import type { ZoneData } from "./zone-data.ts";

/** Names this product took before its names came from this data, and what they were links to. */
export const formerNames = {
  "Canada/East-Saskatchewan": "America/Regina",
  "US/Pacific-New": "America/Los_Angeles",
} as const;

/** Where each zone's TZif file lies among the bytes after the first line. */
export type PackHead = Readonly<{
  version: string;
  zones: Readonly<Record<string, readonly [begin: number, end: number]>>;
}>;

let known: ZoneData | null = null;

/**
 * The zone data that comes with this build, unpacked once: a gzipped line of JSON (`PackHead`) and TZif files one after
 * the other, each kept once for all its names. `bun dev/zones/pack-zones.ts` writes it.
 */
export function bundledZones(): ZoneData {
  return (known ??= unpack(base64Bytes(packedZones)));
}

function unpack(packed: Uint8Array<ArrayBuffer>): ZoneData {
  const bytes = gunzipSync(packed);
  const line = bytes.indexOf(10);
  const head: PackHead = JSON.parse(utf8Text(bytes.subarray(0, line)));
  const zones = new Map(
    Object.entries(head.zones).map(([name, [begin, end]]) => [name, bytes.subarray(line + 1 + begin, line + 1 + end)]),
  );
  return { version: head.version, source: "bundled", names: [...zones.keys()], bytesOf: (name) => zones.get(name) };
}
