import { livingProcesses } from "./process-records.ts";
import { stopProcess } from "./stop-process.ts";

/**
 * Stops every process recorded in `directory` that still lives, all at once; returns their names.
 * At a start these are what a killed run left; at a stop they are what was still starting.
 */
export async function stopRecorded(directory: string, graceMs = 5_000): Promise<readonly string[]> {
  const living = livingProcesses(directory);
  await Promise.all(living.map((record) => stopProcess(record, { signal: record.stopSignal, graceMs })));
  livingProcesses(directory); // removes the records of those just stopped
  return living.map((record) => record.name);
}
