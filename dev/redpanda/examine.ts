// Asks every validator about the files under redpanda/: exit code 1, and a line for each complaint, when any has one.
import { checkout } from "../installed.ts";
import { readRedpandaFiles } from "./files.ts";
import { validators } from "./validators.ts";

const files = readRedpandaFiles(checkout);
const complaints = await Promise.all(
  validators.map(async ({ name, examine }) => (await examine(files)).map((complaint) => `${name}: ${complaint}`)),
);
for (const complaint of complaints.flat()) console.error(complaint);
process.exitCode = complaints.flat().length === 0 ? 0 : 1;
