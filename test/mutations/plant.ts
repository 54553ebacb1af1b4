import { cpSync, mkdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import type { Mutation } from "./mutation.ts";

/** The text of a file with the mutation in it. Throws where what it replaces is not there exactly once. */
export function mutate(source: string, { breaks, file, replace, by }: Mutation): string {
  const times = source.split(replace).length - 1;
  if (times !== 1) throw new Error(`"${breaks}" cannot be planted: ${file} has its text ${times} times`);
  return source.replace(replace, () => by);
}

/**
 * A copy of the checkout to plant in, so that a run that is killed leaves nothing wrong behind: what git tracks, and
 * links to what is installed. A copy that is there is replaced.
 */
export async function copyCheckout(checkout: string, to: string): Promise<void> {
  rmSync(to, { recursive: true, force: true });
  const listed = Bun.spawn(["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"], {
    cwd: checkout,
    stdout: "pipe",
  });
  const names = (await new Response(listed.stdout).text()).split("\0").filter((name) => name !== "");
  if ((await listed.exited) !== 0) throw new Error("git cannot list the files of the checkout");
  for (const name of names) {
    mkdirSync(dirname(join(to, name)), { recursive: true });
    cpSync(join(checkout, name), join(to, name));
  }
  symlinkSync(join(checkout, "node_modules"), join(to, "node_modules"));
  mkdirSync(join(to, ".dev"), { recursive: true });
  symlinkSync(join(checkout, ".dev", "parts"), join(to, ".dev", "parts"));
}

/** Does `work` while the mutation is planted in a checkout, and puts the file back whatever happens. */
export async function planted<T>(checkout: string, mutation: Mutation, work: () => Promise<T>): Promise<T> {
  const path = join(checkout, mutation.file);
  const source = readFileSync(path, "utf8");
  writeFileSync(path, mutate(source, mutation));
  try {
    return await work();
  } finally {
    writeFileSync(path, source);
  }
}
