import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { fullName, type AvroRecord } from "./json.ts";
import { topicNames, topics, type TopicName } from "../messages/topics.ts";
import type { MessageType } from "../messages/message.ts";

/** One committed version of a record's schema. `path` is relative to the schemas folder. */
export type SchemaFile = Readonly<{
  topic: TopicName;
  type: MessageType;
  version: number;
  path: string;
  schema: AvroRecord;
}>;

/** Every version of one record, oldest first; the last one is what this build writes. */
export type SchemaHistory = Readonly<{
  topic: TopicName;
  type: MessageType;
  /** TopicRecordNameStrategy: `<topic>-<full name>`. */
  subject: string;
  versions: readonly SchemaFile[];
  current: SchemaFile;
}>;

export const schemasFolder = join(import.meta.dirname, "../..", "schemas");

/**
 * Reads `<topic>/<Record>/v<N>.avsc` for every record of the topics table, in the order of that table.
 * Throws when a record has no schema, a version is missing in the row 1, 2, 3 …, or a folder belongs to no record.
 */
export async function readSchemas(folder: string = schemasFolder): Promise<readonly SchemaHistory[]> {
  const wanted = topicNames.flatMap((topic) => topics[topic].records.map((type) => ({ topic, type })));
  const strays = (await readdir(folder, { recursive: true, withFileTypes: true }))
    .filter((entry) => entry.isFile() && entry.name.endsWith(".avsc"))
    .filter((entry) => !wanted.some(({ topic, type }) => entry.parentPath === join(folder, topic, type)));
  if (strays.length > 0)
    throw new Error(`no topic has the record of ${join(strays[0]?.parentPath ?? "", strays[0]?.name ?? "")}`);
  return Promise.all(wanted.map(({ topic, type }) => readHistory(folder, topic, type)));
}

async function readHistory(folder: string, topic: TopicName, type: MessageType): Promise<SchemaHistory> {
  const names = (await readdir(join(folder, topic, type)).catch(() => [])).filter((name) => /^v\d+\.avsc$/.test(name));
  const versions = await Promise.all(
    names
      .map((name) => Number(name.slice(1, -".avsc".length)))
      .sort((a, b) => a - b)
      .map(async (version) => {
        const path = join(topic, type, `v${version}.avsc`);
        // The shape is proven by rules.ts, in `bun run check` and before anything is registered.
        const schema = JSON.parse(await readFile(join(folder, path), "utf8")) as AvroRecord;
        return { topic, type, version, path, schema };
      }),
  );
  versions.forEach(({ version, path }, index) => {
    if (version !== index + 1) throw new Error(`schemas/${path} follows version ${index}: a version is missing`);
  });
  const current = versions.at(-1);
  if (current === undefined) throw new Error(`schemas/${topic}/${type}/v1.avsc is missing`);
  return { topic, type, subject: `${topic}-${fullName(current.schema)}`, versions, current };
}
