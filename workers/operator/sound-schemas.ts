import { historyMistakes } from "../../shared/avro/compatibility.ts";
import { readSchemas, type SchemaHistory } from "../../shared/avro/files.ts";

/** The committed schemas. Throws when they do not fit each other. */
export async function readSoundSchemas(): Promise<readonly SchemaHistory[]> {
  const histories = await readSchemas();
  const mistakes = histories.flatMap(historyMistakes);
  if (mistakes.length > 0)
    throw new Error(`the committed schemas are not sound, nothing was registered:\n  ${mistakes.join("\n  ")}`);
  return histories;
}
