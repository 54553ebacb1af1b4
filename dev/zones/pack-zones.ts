// `bun dev/zones/pack-zones.ts DIRECTORY`: packs the TZif files of a directory into shared/zones/iana.ts, the zone data
// that comes with the product. The directory is `tzdata/zoneinfo` of Python's package `tzdata` (2026.6 is IANA's
// 2026f), which zic compiled from IANA's sources; those are in the public domain. A newer edition: download that
// package, unpack it, run this, run the tests.
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { formerNames, type PackHead } from "../../shared/zones/bundled-zones.ts";
import { readZoneDirectory } from "../../shared/zones/zone-directory.ts";

const [directory] = process.argv.slice(2);
if (directory === undefined) {
  process.stderr.write("bun dev/zones/pack-zones.ts DIRECTORY, the zoneinfo directory of Python's package tzdata\n");
  process.exit(2);
}
const data = readZoneDirectory(directory);
type ByteRange = readonly [begin: number, end: number];
const files = [...data.names, ...Object.keys(formerNames)].sort().map((name) => {
  const bytes =
    data.bytesOf(name) ?? data.bytesOf(Object.entries(formerNames).find(([former]) => former === name)?.[1] ?? "");
  if (bytes === undefined) throw new Error(`${directory} has no zone that ${name} is a link to`);
  return { name, bytes: Buffer.from(bytes) };
});
const places = new Map<string, ByteRange>();
const parts: Buffer[] = [];
let end = 0;
for (const { bytes } of files) {
  const content = bytes.toString("latin1");
  if (places.has(content)) continue;
  places.set(content, [end, end + bytes.length]);
  parts.push(bytes);
  end += bytes.length;
}
const placeOf = (bytes: Buffer): ByteRange => places.get(bytes.toString("latin1")) ?? [0, 0];
const zones = Object.fromEntries(files.map(({ name, bytes }) => [name, placeOf(bytes)]));
const head: PackHead = { version: data.version, zones };
const packed = Bun.gzipSync(Buffer.concat([Buffer.from(`${JSON.stringify(head)}\n`), ...parts]), { level: 9 });
const path = join(import.meta.dirname, "../../shared/zones/iana.ts");
writeFileSync(
  path,
  `// Written by \`bun dev/zones/pack-zones.ts\`; see there. A module, not a file beside one, so that it comes along wherever the code goes.

/** What \`bundledZones\` unpacks, gzipped, in base64. */
export const packedZones =
  "${Buffer.from(packed).toString("base64")}";
`,
);
process.stdout.write(
  `IANA ${data.version}: ${files.length} names, ${parts.length} zones, ${packed.length} bytes in ${path}\n`,
);
